import { HttpException } from '@nestjs/common';
import type { ErrorCode, ErrorMeaning } from '../errors/error-codes.js';
import { errorCodes } from '../errors/error-codes.js';
import { DomainError } from '../errors/domain-error.js';
import type { FieldError } from '../errors/domain-error.js';
import { isLedgerAway } from '../errors/ledger-away.js';

/** RFC 9457, with `code` and `request_id`, and for an invalid request `errors`. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  request_id: string;
  errors?: FieldError[];
  [extra: string]: unknown;
}

/** How an error is answered, before it belongs to a request. */
export interface Refusal {
  code: ErrorCode;
  detail: string;
  errors?: FieldError[];
  extra?: Record<string, string | number | null>;
  retryAfter?: number;
  /** For the log alone. */
  internal?: string;
  /** A fault of ours: logged with its stack, and nothing of it told. */
  unexpected?: true;
}

/** How to answer whatever was thrown: the domain's errors, Nest's, Express's, PostgreSQL's, or a surprise. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof DomainError) {
    const { message, details } = error;
    const { internal, errors, extra, retryAfter } = details;
    return {
      code: (error as DomainError).code,
      detail: message,
      ...(errors === undefined ? {} : { errors }),
      ...(extra === undefined ? {} : { extra }),
      ...(retryAfter === undefined ? {} : { retryAfter }),
      ...(internal === undefined ? {} : { internal }),
    };
  }
  if (error instanceof HttpException) return refusalOfStatus(error.getStatus(), error.message);
  if (isLedgerAway(error)) {
    const internal = messageOf(error);
    return { code: 'ledger.unavailable', detail: 'The ledger cannot be reached.', retryAfter: 2, internal };
  }
  return refusalOfReader(error) ?? surprise(error);
}

/** Errors that Express and its body reader make; their `type` and `status` are documented there. */
function refusalOfReader(error: unknown): Refusal | null {
  if (typeof error !== 'object' || error === null) return null;
  const { type, status, limit } = error as { type?: unknown; status?: unknown; limit?: unknown };
  const internal = messageOf(error);
  switch (type) {
    case 'entity.too.large':
      return {
        code: 'request.too_large',
        detail: `The body is larger than the ${String(limit)} bytes that this route takes.`,
      };
    case 'encoding.unsupported':
    case 'charset.unsupported':
      return { code: 'request.unsupported_media', detail: 'Send JSON in UTF-8.', internal };
    case 'request.aborted':
    case 'request.size.invalid':
      return { code: 'request.malformed', detail: 'The body was cut off.', internal };
  }
  if (error instanceof URIError || (typeof status === 'number' && status >= 400 && status < 500)) {
    return {
      ...refusalOfStatus(typeof status === 'number' ? status : 400, 'The request cannot be read.'),
      internal,
    };
  }
  return null;
}

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'auth.required',
  403: 'auth.forbidden',
  404: 'route.not_found',
  405: 'request.method_not_allowed',
  408: 'request.timeout',
  413: 'request.too_large',
  415: 'request.unsupported_media',
  429: 'rate.limited',
  503: 'server.stopping',
};

function refusalOfStatus(status: number, message: string): Refusal {
  const code = CODE_OF_STATUS[status];
  if (code === 'route.not_found') return { code, detail: 'Nothing is served under this path.' };
  if (code !== undefined) return { code, detail: message };
  if (status >= 400 && status < 500) return { code: 'request.malformed', detail: message };
  return { ...surprise(null), internal: message };
}

function surprise(error: unknown): Refusal {
  return {
    code: 'server.internal',
    detail: 'The request could not be answered. Report it with its request_id.',
    internal: messageOf(error),
    unexpected: true,
  };
}

function messageOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message);
  return String(error);
}

export function problemOf(refusal: Refusal, requestId: string): Problem {
  const { status, title }: ErrorMeaning = errorCodes[refusal.code];
  return {
    ...refusal.extra,
    type: `/errors/${refusal.code}`,
    title,
    status,
    detail: refusal.detail,
    code: refusal.code,
    request_id: requestId,
    ...(refusal.errors === undefined ? {} : { errors: refusal.errors }),
  };
}
