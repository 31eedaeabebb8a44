import { appendFileSync } from 'node:fs';

/** Says in the closing words of `npm test` what this machine could not check, and why. One sentence. */
export function cannotRun(sentence: string): void {
  const notes = process.env['LOCI_TEST_NOTES'];
  if (notes === undefined) console.warn(sentence);
  else appendFileSync(notes, `${sentence}\n`);
}
