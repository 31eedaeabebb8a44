import { destination, pino, stdTimeFunctions } from 'pino';
import type { DestinationStream, Logger, LoggerOptions } from 'pino';
import type { Settings } from '../config/settings.js';
import { readableLines } from './readable-lines.js';

/** What is written down while the server runs. Fields first, then a few words: `log.info({ port }, 'listening')`. */
export abstract class Log {
  abstract debug(fields: object, words: string): void;
  abstract info(fields: object, words: string): void;
  abstract warn(fields: object, words: string): void;
  abstract error(fields: object, words: string): void;
  /** The line of one request. Its fields are fixed and hold nothing to hide, which saves looking for it. */
  abstract request(level: 'info' | 'warn' | 'error', fields: object): void;
  /** Writes out what is buffered, at once. Call it as the last thing before the process ends. */
  abstract flush(): void;
}

/** Never written, wherever in a line's fields they appear, two levels deep. */
const SECRETS = [
  'authorization',
  'cookie',
  'token',
  'api_key',
  'api_token',
  'key',
  'secret',
  'password',
  'content',
  'embedding',
  'query',
  'parameters',
];

/**
 * JSON lines on standard output, buffered so that a request does not wait for them; on a terminal in
 * development lines for people, at once. `sink` is for tests.
 */
export function openLog(settings: Pick<Settings, 'mode' | 'logLevel'>, sink?: DestinationStream): Log {
  const forPeople = sink === undefined && settings.mode === 'development' && process.stdout.isTTY;
  const buffered = sink === undefined && !forPeople;
  const stream =
    sink ??
    (forPeople ? readableLines(process.stdout) : destination({ fd: 1, sync: false, minLength: 4096 }));
  const options: LoggerOptions = {
    level: settings.logLevel,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: (error: unknown) => describeError(error) },
  };
  // Looking for two dozen names in each line's fields costs more than the rest of a request.
  const plain: Logger = pino(options, stream);
  const paths = SECRETS.flatMap((name) => [name, `*.${name}`]);
  const logger: Logger = pino({ ...options, redact: { paths, censor: '[redacted]' } }, stream);
  // Buffered lines would otherwise wait for the next 4 KB.
  const timer = buffered ? setInterval(() => logger.flush(), 1_000).unref() : undefined;
  return {
    debug: (fields, words) => logger.debug(fields, words),
    info: (fields, words) => logger.info(fields, words),
    warn: (fields, words) => logger.warn(fields, words),
    error: (fields, words) => logger.error(fields, words),
    request: (level, fields) => plain[level](fields, 'request'),
    flush() {
      clearInterval(timer);
      flushQuietly(stream);
    },
  };
}

/** Before its first write the stream is not open yet, and there is nothing to flush. */
function flushQuietly(stream: DestinationStream & { flushSync?: () => void }): void {
  try {
    stream.flushSync?.();
  } catch (error) {
    if (!String(error).includes('not ready')) throw error;
  }
}

/**
 * Name, message, code, stack and causes, and no other property: a database error carries its query's
 * parameters along. Tokens, and passwords in URLs, are cut out of the texts.
 */
export function describeError(error: unknown, depth = 0): unknown {
  if (typeof error !== 'object' || error === null) return withoutSecrets(String(error));
  const { name, message, code, stack, cause } = error as Record<string, unknown>;
  return {
    type: typeof name === 'string' ? name : 'Error',
    message: withoutSecrets(String(message)),
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof stack === 'string' ? { stack: withoutSecrets(stack) } : {}),
    ...(cause !== undefined && depth < 4 ? { cause: describeError(cause, depth + 1) } : {}),
  };
}

export function withoutSecrets(text: string): string {
  return text
    .replace(/\bloci_(?:live|test)_[\w-]+/g, 'loci_[redacted]')
    .replace(/\b(bearer\s+)\S+/gi, '$1[redacted]')
    .replace(/(:\/\/[^\s:/@]*:)[^\s@]+@/g, '$1[redacted]@');
}
