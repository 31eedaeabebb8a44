import type { DestinationStream } from 'pino';

const COLOURS: Readonly<Record<string, string>> = {
  trace: '90',
  debug: '90',
  info: '32',
  warn: '33',
  error: '31',
  fatal: '31',
};

/** Turns each JSON line into one for people: time, level, words, then the fields that are left. */
export function readableLines(out: { write(text: string): unknown }): DestinationStream {
  return {
    write(line) {
      out.write(readable(line));
    },
  };
}

export function readable(line: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const clock = String(time).slice(11, 23);
  const colour = COLOURS[String(level)] ?? '0';
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${show(value)}`);
  const head = [
    `\u001b[90m${clock}\u001b[0m`,
    `\u001b[${colour}m${String(level).padEnd(5)}\u001b[0m`,
    typeof msg === 'string' ? msg : '',
    ...rest,
  ];
  return `${head.filter((part) => part !== '').join(' ')}\n${trace(err)}`;
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function trace(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { stack, message, cause } = error as Record<string, unknown>;
  return `${String(stack ?? message)}\n${cause === undefined ? '' : `caused by ${trace(cause)}`}`;
}
