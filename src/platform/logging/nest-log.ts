import type { LoggerService } from '@nestjs/common';
import type { Log } from './log.js';

/** Nest's own lines, through the same log. What it tells while starting is for debugging only. */
export class NestLog implements LoggerService {
  constructor(private readonly sink: Log) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.sink.debug(context(rest), text(message));
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.sink.debug(context(rest), text(message));
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.sink.debug(context(rest), text(message));
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.sink.warn(context(rest), text(message));
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.sink.error({ ...context(rest), ...trouble(message, rest) }, text(message));
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.error(message, ...rest);
  }
}

/** Nest passes the name of the class that speaks last. */
function context(rest: unknown[]): { from?: string } {
  const last = rest.at(-1);
  return typeof last === 'string' && !last.includes('\n') ? { from: last } : {};
}

function text(message: unknown): string {
  if (typeof message === 'string') return message;
  if (isErrorLike(message)) return message.message;
  return JSON.stringify(message) ?? String(message);
}

function trouble(message: unknown, rest: unknown[]): { err?: unknown } {
  if (isErrorLike(message)) return { err: message };
  const stack = rest.find((part): part is string => typeof part === 'string' && part.includes('\n'));
  return stack === undefined ? {} : { err: { name: 'Error', message: text(message), stack } };
}

function isErrorLike(value: unknown): value is { message: string } {
  return (
    typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string'
  );
}
