import { termsOf } from '../../../spaces/terms.js';

/** A shorter content is its own summary. */
export const LONG = 600;
const LENGTH = 300;
/** Sentences that are looked at: the work for one text is bounded. */
const SENTENCES = 200;

/**
 * The sentences that say most of what a long text says, in their order, some 300 characters; null where it is short.
 * A sentence counts by how often its words come up in the whole, shared out over its length; the first one a little more.
 */
export function summaryOf(text: string): string | null {
  if (text.length < LONG) return null;
  const sentences = sentencesOf(text);
  const counts = new Map<string, number>();
  const terms = sentences.map((sentence) => termsOf(sentence));
  for (const term of terms.flat()) counts.set(term, (counts.get(term) ?? 0) + 1);
  const scores = terms.map((own, at) => {
    const weight = own.reduce((sum, term) => sum + (counts.get(term) ?? 0), 0);
    return (weight / (own.length + 4)) * (at === 0 ? 1.25 : 1);
  });
  const best = scores.map((score, at) => ({ score, at })).sort((a, b) => b.score - a.score || a.at - b.at);
  const chosen: number[] = [];
  let length = 0;
  for (const { at } of best) {
    const next = sentences[at]?.length ?? 0;
    if (chosen.length > 0 && length + next > LENGTH) continue;
    chosen.push(at);
    length += next + 1;
  }
  const whole = chosen
    .sort((a, b) => a - b)
    .map((at) => sentences[at] ?? '')
    .join(' ');
  return whole.length <= LENGTH ? whole : `${whole.slice(0, LENGTH - 1).trimEnd()}…`;
}

function sentencesOf(text: string): string[] {
  const segments = new Intl.Segmenter('en', { granularity: 'sentence' }).segment(text.slice(0, 40_000));
  // What is said over and over is said once in a summary.
  const sentences = new Set<string>();
  for (const { segment } of segments) {
    const sentence = segment.replace(/\s+/g, ' ').trim();
    if (sentence !== '') sentences.add(sentence);
    if (sentences.size === SENTENCES) break;
  }
  return [...sentences];
}
