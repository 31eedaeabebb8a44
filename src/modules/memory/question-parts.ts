import { stopWords } from '../../spaces/words/stop-words.js';
import { termsOf } from '../../spaces/terms.js';

/** What holds more parts than this, or is longer, is no question but a text. */
const MOST = 4;
/** In UTF-16 units, also of a part with the names that its pronouns stand for: the work grows with the square of it. */
const LONGEST = 1_000;

const SENTENCES = /(?<=[?!;？！؟])\s*|(?<=[.。])\s+|\n+/u;
const ASKING = `who|whom|whose|what|when|where|which|why|how|did|do|does|is|are|was|were|has|have|had|can|could|will|would|should`;
/** Where a second question begins inside a sentence, in the languages that a caller is likely to ask in. */
const JOINTS = [
  [`and|or|but|then`, ASKING],
  [`und|oder`, `wer|wen|wem|was|wann|wo|wohin|woher|warum|wieso|wie|welche[rsnm]?|wird|hat|ist|sind|war`],
  [`et|ou`, `qui|que|quoi|quand|où|pourquoi|comment|combien|quel(?:le)?s?`],
  [`y|o`, `quién(?:es)?|qué|cuándo|dónde|por qué|cómo|cuál(?:es)?|cuánt[oa]s?`],
  [`e|o`, `chi|che cosa|cosa|quando|dove|perché|come|quale|quali|quem|o que|onde|como|qual`],
].map(
  ([and, asking]) =>
    new RegExp(`,?\\s+(?:${and})\\s+(?:also\\s+)?(?=(?:${asking})(?![\\p{L}\\p{N}]))`, 'giu'),
);

const NAME = String.raw`\p{Lu}[\p{L}\p{M}\p{N}'’-]*(?: \p{Lu}[\p{L}\p{M}\p{N}'’-]*)*`;
const NAMES_JOINED = new RegExp(
  String.raw`${NAME}(?:, ${NAME})*,? (?:and|or|und|oder|et|ou|y|e|och|og|en) ${NAME}`,
  'u',
);
const SUBJECT = /\b(?:he|she|they|him|them)\b/giu;
const OWNER = /\b(?:his|her|their)\b/giu;

/**
 * The questions that one question holds, each to be asked for itself beside the whole: sentence by sentence, question by
 * question ('what did Ada paint, and where did she travel?', where `she` becomes Ada), else name by name ('what do Ada and
 * Grace like?'). None where it holds but one. Deterministic, no model: it knows how questions are joined, not what they mean.
 */
export function partsOfQuestion(wording: string): string[] {
  if (wording.length > LONGEST) return [];
  const sentences = wording.split(SENTENCES).flatMap((sentence) => {
    return JOINTS.reduce((parts, joint) => parts.flatMap((part) => part.split(joint)), [sentence]);
  });
  const questions = sentences.map((part) => part.trim()).filter((part) => termsOf(part).length > 0);
  const parts = questions.length > 1 ? withNames(questions) : nameByName(wording);
  if (parts.length < 2 || parts.length > MOST || parts.some((part) => part.length > LONGEST)) return [];
  const asks = /[?？؟]/.test(wording);
  const whole = [...new Set(parts.map((part) => (asks && !/[?？؟]$/.test(part) ? `${part}?` : part)))];
  return whole.filter((part) => part !== wording);
}

/** What a pronoun stands for is told by the first question that names somebody. */
function withNames(questions: string[]): string[] {
  const named = questions.map((question) => namesIn(question));
  const first = named.findIndex((names) => names.length > 0);
  const names = named[first]?.join(' and ');
  return questions.map((question, at) => {
    if (names === undefined || at <= first || named[at]?.length !== 0) return question;
    return question.replace(SUBJECT, () => names).replace(OWNER, () => `${names}'s`);
  });
}

function namesIn(question: string): string[] {
  const names = question.match(new RegExp(NAME, 'gu')) ?? [];
  return names.map(withoutAsking).filter((name) => name !== '');
}

function nameByName(wording: string): string[] {
  const [joined] = NAMES_JOINED.exec(wording) ?? [];
  if (joined === undefined) return [];
  const names = namesIn(joined);
  const begins = names[0] === undefined ? -1 : joined.indexOf(names[0]);
  if (names.length < 2 || begins === -1) return [];
  const list = joined.slice(begins);
  return names.map((name) => wording.replace(list, () => name));
}

/** `Did Ada` begins a question; its name is Ada. */
function withoutAsking(name: string): string {
  const words = name.split(' ');
  const at = words.findIndex((word) => !stopWords.has(word.toLowerCase()));
  return at === -1 ? '' : words.slice(at).join(' ');
}
