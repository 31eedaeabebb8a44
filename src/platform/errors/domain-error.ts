import type { ErrorCode } from './error-codes.js';

/** One thing that is wrong with one field of a request. `location` is `body.tags[3]`, `query.limit`, … */
export interface FieldError {
  location: string;
  message: string;
}

/**
 * A refusal in the domain's own words; it knows nothing of HTTP.
 *
 * Two messages: `message` is for the caller and reveals nothing that the caller may not see;
 * `internal` is for the log alone.
 */
export abstract class DomainError<Code extends ErrorCode = ErrorCode> extends Error {
  abstract readonly code: Code;

  constructor(
    message: string,
    readonly details: {
      internal?: string;
      errors?: FieldError[];
      /** Extra members of the problem document, such as `{quota, limit, used}`. */
      extra?: Record<string, string | number | null>;
      /** Seconds after which trying again makes sense. */
      retryAfter?: number;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
    this.name = new.target.name;
  }
}
