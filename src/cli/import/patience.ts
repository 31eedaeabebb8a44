import { setTimeout as pause } from 'node:timers/promises';
import { CommandFailed, EXIT } from '../command-failed.js';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;

/**
 * Asks again while the server is away, asks to be left alone or still works on the first request, until it has not
 * answered for so long. What is asked must be harmless to ask twice: an `Idempotency-Key` makes it so.
 */
export async function patiently<T>(giveUpAfterMs: number, ask: () => Promise<T>): Promise<T> {
  const until = Date.now() + giveUpAfterMs;
  for (let waitMs = FIRST_PAUSE_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return await ask();
    } catch (error) {
      const left = until - Date.now();
      if (!(error instanceof CommandFailed) || !mayPass(error) || left <= 0) throw error;
      await pause(Math.min(error.refusal?.retryAfterMs ?? waitMs, left));
    }
  }
}

function mayPass({ exitCode, refusal }: CommandFailed): boolean {
  return exitCode === EXIT.away || refusal?.status === 429 || refusal?.code === 'idempotency.in_progress';
}
