import { setTimeout as sleep } from 'node:timers/promises';
import { APIConnectionError, APIError, APIUserAbortError } from 'openai';
import { FetchRefused } from '../../platform/outgoing/guarded-fetch.js';
import { retryAfter, retryDelay } from './retry-delay.js';

/** How long a call to a model's endpoint may take. */
export interface CallLimits {
  /** When the call must have ended, retries included; ms since 1970. */
  deadline: number;
  /** How long one attempt may take, in ms, from sending to the last byte of the reply. */
  attemptMs: number;
  /** Ends the call at once. */
  signal: AbortSignal;
}

/** Why a call failed, in words that hold neither texts nor secrets: an endpoint may echo either in its errors. */
export class ModelCallFailed extends Error {
  constructor(
    message: string,
    /** The endpoint understood and refuses what was sent: no use in sending it again. */
    readonly refused: boolean,
    /** Seconds after which trying again makes sense, where that is known. */
    readonly retryAfter: number | null,
    /** Which part of the request it refuses, where it says so. */
    readonly refusedPart: string | null = null,
  ) {
    super(message);
  }
}

/**
 * Calls an endpoint through the `openai` package, whose own retries must be off, until it answers.
 * Tries again after 408, 429, 5xx, a broken connection or a slow attempt, as long as the deadline allows.
 * An attempt that rejects with `ModelCallFailed` is the last one. Rejects with `ModelCallFailed`.
 */
export async function callModel<T>(
  attempt: (options: { signal: AbortSignal; timeout: number; maxRetries: 0 }) => Promise<T>,
  limits: CallLimits,
): Promise<T> {
  for (let tries = 0; ; tries++) {
    const left = limits.deadline - Date.now();
    if (left <= 0) throw new ModelCallFailed('no answer in time', false, null);
    const timeout = Math.min(left, limits.attemptMs);
    // The package's own timeout ends with the reply's headers; this one holds for its body too.
    const signal = AbortSignal.any([limits.signal, AbortSignal.timeout(timeout)]);
    try {
      return await attempt({ signal, timeout, maxRetries: 0 });
    } catch (error) {
      if (error instanceof ModelCallFailed) throw error;
      const failure = describeFailure(error, limits.signal.aborted);
      if (!failure.again) {
        const wait = seconds(failure.retryAfterMs);
        throw new ModelCallFailed(failure.reason, failure.refused, wait, failure.refusedPart);
      }
      const delay = retryDelay(tries, failure.retryAfterMs, Math.random());
      if (Date.now() + delay >= limits.deadline) {
        throw new ModelCallFailed(
          `${failure.reason}, ${tries + 1} times`,
          false,
          seconds(failure.retryAfterMs),
        );
      }
      await pause(delay, limits.signal);
    }
  }
}

interface Failure {
  reason: string;
  again: boolean;
  refused: boolean;
  refusedPart: string | null;
  retryAfterMs: number | null;
}

function describeFailure(error: unknown, closing: boolean): Failure {
  if (closing) return { ...transient('closing'), again: false };
  if (error instanceof APIConnectionError) {
    const forbidden = error.cause instanceof FetchRefused;
    return forbidden
      ? { ...transient('kept from being sent or read'), again: false }
      : transient('no connection');
  }
  if (error instanceof APIUserAbortError || isAbort(error)) return transient('no answer in time');
  if (error instanceof APIError && typeof error.status === 'number') {
    const status: number = error.status;
    const headers: unknown = error.headers;
    return {
      reason: `HTTP ${status}`,
      again: status === 408 || (status === 429 && error.code !== 'insufficient_quota') || status >= 500,
      refused: status === 400 || status === 413 || status === 422,
      refusedPart: typeof error.param === 'string' ? error.param : null,
      retryAfterMs: headers instanceof Headers ? retryAfter(headers, Date.now()) : null,
    };
  }
  if (error instanceof SyntaxError) return transient('a reply that is no JSON');
  return transient('a broken reply');
}

function transient(reason: string): Failure {
  return { reason, again: true, refused: false, refusedPart: null, retryAfterMs: null };
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
}

/** Ends early where the signal says so; the next attempt then finds out. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : Math.ceil(ms / 1000);
}
