import type { ChatTokens } from '../../models/chat-model.js';
import { termsOf } from '../../spaces/terms.js';
import type { Memory } from '../memory/memory.js';

/** What a cluster comes to, in words. */
export interface PatternText {
  content: string;
  /** The memories that it was drawn from, above all. */
  cites: readonly string[];
  /** Those whose words may be in it: it goes with each of them. */
  quoted: readonly string[];
  /** Its members' own words, or a language model's. */
  by: 'extraction' | 'reflection';
  /** What the model has taken for it. */
  tokens: ChatTokens;
}

/** Puts clusters into words. */
export abstract class PatternWriter {
  /** Whether the next one may be a reflection. */
  abstract get reflects(): boolean;
  /** `members`: the most typical first. */
  abstract write(members: readonly Memory[]): Promise<PatternText>;
}

/** So many of the most typical are quoted, and so much of each. */
const QUOTED = 3;
const QUOTE = 240;
const TOPICS = 5;

/** Its commonest words, how many there are and of when, and what the most typical of them say. */
export class ExtractivePatterns extends PatternWriter {
  override readonly reflects = false;

  override write(members: readonly Memory[]): Promise<PatternText> {
    const quoted = members.slice(0, QUOTED);
    const times = members.map(({ timestamp }) => timestamp.getTime());
    const [from, until] = [Math.min(...times), Math.max(...times)].map((time) =>
      new Date(time).toISOString().slice(0, 10),
    );
    const period = from === until ? `of ${from}` : `from ${from} to ${until}`;
    const topics = topicsOf(quoted.map(({ content }) => content));
    const title = topics.length === 0 ? 'Pattern' : `Pattern: ${topics.join(', ')}`;
    const said = [...new Set(quoted.map(({ content }) => quoteOf(content)))].map((quote) => `“${quote}”`);
    const ids = quoted.map(({ id }) => id);
    return Promise.resolve({
      content: `${title}. ${members.length} memories ${period} say about the same: ${said.join(' ')}`,
      cites: ids,
      quoted: ids,
      by: 'extraction',
      tokens: { input: 0, output: 0 },
    });
  }
}

/** The words whose stems most of the texts share, as the first of them writes them. */
function topicsOf(texts: readonly string[]): string[] {
  const counts = new Map<string, { word: string; texts: number }>();
  for (const text of texts) {
    const seen = new Set<string>();
    for (const word of text.slice(0, 2_000).match(/[\p{L}\p{N}][\p{L}\p{N}'-]{2,}/gu) ?? []) {
      const [term] = termsOf(word);
      if (term === undefined || seen.has(term)) continue;
      seen.add(term);
      const known = counts.get(term);
      counts.set(term, { word: known?.word ?? word.toLowerCase(), texts: (known?.texts ?? 0) + 1 });
    }
  }
  return [...counts.values()]
    .filter((each) => each.texts * 2 > texts.length)
    .sort((a, b) => b.texts - a.texts || b.word.length - a.word.length)
    .slice(0, TOPICS)
    .map(({ word }) => word);
}

/** Its first sentence, or as much of it as fits. */
function quoteOf(content: string): string {
  const text = content
    .slice(0, 4 * QUOTE)
    .replace(/\s+/g, ' ')
    .trim();
  const [first] = new Intl.Segmenter('en', { granularity: 'sentence' }).segment(text);
  const sentence = (first?.segment ?? text).trim();
  return sentence.length <= QUOTE ? sentence : `${sentence.slice(0, QUOTE - 1).trimEnd()}…`;
}
