/** What the demo shows: colours and a moving bar on a terminal, plain lines elsewhere. */
import { styleText } from 'node:util';

const terminal = process.stdout.isTTY === true;
const BAR = 28;

/** `styleText` leaves colours out where the output is no terminal, or NO_COLOR is set. */
function paint(style, text) {
  return styleText(style, text, { stream: process.stdout });
}

export const bold = (text) => paint('bold', text);
export const dim = (text) => paint('dim', text);
export const green = (text) => paint('green', text);
export const red = (text) => paint('red', text);
export const cyan = (text) => paint('cyan', text);

export function say(line = '') {
  process.stdout.write(`${line}\n`);
}

export function heading(text) {
  say();
  say(bold(text));
}

/** A promise of the product that has just been put to the test. */
export function verdict(held, text) {
  say(`  ${held ? green('✓') : red('✗ BROKEN:')} ${text}`);
}

/** `text` on one line, cut to what fits after `indent` columns. */
export function fitted(text, indent) {
  const room = Math.max(20, Math.min(process.stdout.columns || 110, 130) - indent);
  const line = text.replace(/\s+/g, ' ');
  return line.length <= room ? line : `${line.slice(0, room - 1)}…`;
}

/** Call it with how much is done; on a terminal the bar moves, elsewhere only its end is told. */
export function progress(label, total) {
  return (done, note = '') => {
    const ended = done >= total;
    if (!terminal && !ended) return;
    const full = Math.round((done / total) * BAR);
    const bar = cyan('█'.repeat(full)) + dim('░'.repeat(BAR - full));
    const line = `  ${label} ${terminal ? `${bar} ` : ''}${String(done).padStart(String(total).length)}/${total} ${dim(note)}`;
    process.stdout.write(terminal ? `\r\x1b[2K${line}${ended ? '\n' : ''}` : `${line}\n`);
  };
}
