import { cut, oneLine } from './terminal-text.js';

/** The part of stderr that a bar needs. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const BAR = 24;
/** Of a terminal that does not tell its width, or tells 0. */
const UNKNOWN_WIDTH = 80;

/** How far long work is, on one line that it keeps for itself. Writes nothing where nobody watches. */
export class ProgressBar {
  private shown = '';

  constructor(private readonly screen: Screen) {}

  show(done: number, total: number, label: string): void {
    if (this.screen.isTTY !== true) return;
    const part = total === 0 ? 1 : Math.min(1, Math.max(0, done / total));
    const filled = Math.round(part * BAR);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR - filled);
    const text = `${bar} ${String(Math.floor(part * 100)).padStart(3)} %  ${done}/${total}  ${oneLine(label)}`;
    const line = cut(text, (this.screen.columns || UNKNOWN_WIDTH) - 1);
    if (line !== this.shown) this.screen.write(`\r\u001b[K${line}`);
    this.shown = line;
  }

  /** Takes the line back, so that what is written next has it. */
  clear(): void {
    if (this.shown !== '') this.screen.write('\r\u001b[K');
    this.shown = '';
  }
}
