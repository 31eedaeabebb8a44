import { cut, oneLine, widthOf } from './terminal-text.js';

type Cell = string | number | null;

export interface Column<Row> {
  title: string;
  of(row: Row): Cell;
}

const GAP = '  ';
/** However narrow the terminal, the last column keeps something to read. */
const LAST_AT_LEAST = 20;

/**
 * Aligned columns under their titles, numbers to the right. `width` is the terminal's, in columns: the last column is
 * cut to it. Null: nothing is cut.
 */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number | null,
): string {
  const cells = columns.map((column) => rows.map((row) => column.of(row)));
  const texts = cells.map((column) => column.map(textOf));
  const widths = columns.map(({ title }, at) => Math.max(...[title, ...(texts[at] ?? [])].map(widthOf)));
  const numeric = cells.map((column) => column.some((cell) => typeof cell === 'number'));
  const before = widths.slice(0, -1).reduce((sum, each) => sum + each + GAP.length, 0);
  const room = width === null ? Infinity : Math.max(LAST_AT_LEAST, width - before);
  const line = (words: readonly string[]): string =>
    words
      .map((word, at) => {
        const fitted = at === columns.length - 1 ? cut(word, room) : word;
        const padding = ' '.repeat(Math.max(0, Math.min(widths[at] ?? 0, room) - widthOf(fitted)));
        return numeric[at] === true ? padding + fitted : fitted + padding;
      })
      .join(GAP)
      .trimEnd();
  return [
    line(columns.map(({ title }) => title)),
    ...rows.map((_, at) => line(texts.map((column) => column[at] ?? ''))),
  ]
    .map((text) => `${text}\n`)
    .join('');
}

/** One thing's facts, a line each: what it is called, then what it is. */
export function facts(lines: readonly (readonly [label: string, value: Cell])[]): string {
  const width = Math.max(...lines.map(([label]) => widthOf(label)));
  return lines
    .map(([label, value]) => `${label}${' '.repeat(width - widthOf(label))}${GAP}${textOf(value)}\n`)
    .join('');
}

/** To the minute, in UTC: `2026-11-22 07:30Z`. */
export function minute(instant: string | null): string | null {
  return instant === null ? null : `${instant.slice(0, 16).replace('T', ' ')}Z`;
}

function textOf(cell: Cell): string {
  return cell === null ? '-' : oneLine(String(cell));
}
