import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';

const RESULTS = join(dirname(dirname(fileURLToPath(import.meta.url))), 'results');

/** What the figures depend on, in words that name no machine. */
export function machine() {
  return {
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    processors: availableParallelism(),
    memory_gb: Math.round(totalmem() / 2 ** 30),
  };
}

/** Prints rows as one table; `columns` are their members, in order. */
export function printTable(title, columns, rows) {
  const cells = rows.map((row) => columns.map((column) => cell(row[column])));
  const widths = columns.map((column, at) => Math.max(column.length, ...cells.map((row) => row[at].length)));
  const isNumber = columns.map((_, at) => cells.every((row) => /^[\d.,%x<>= -]*$/.test(row[at])));
  const line = (texts) =>
    texts
      .map((text, at) => (isNumber[at] ? text.padStart(widths[at]) : text.padEnd(widths[at])))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  process.stdout.write(
    `\n${styleText('bold', title)}\n${[line(columns), rule, ...cells.map(line)].join('\n')}\n`,
  );
}

/** A measured value beside what it must be. */
export function barRow(measure, value, unit, bar, isMet) {
  return { measure, value, unit, bar, met: bar === '' ? '' : isMet ? 'yes' : 'NO' };
}

export function writeResults(name, results) {
  mkdirSync(RESULTS, { recursive: true });
  const file = join(RESULTS, `${name}.json`);
  writeFileSync(
    file,
    `${JSON.stringify({ at: new Date().toISOString(), machine: machine(), ...results }, null, 2)}\n`,
  );
  process.stdout.write(`\nWritten to bench/results/${name}.json\n`);
}

/** Progress, apart from the table: to standard error. */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

function cell(value) {
  if (value === undefined || value === null) return '';
  return String(value);
}
