import nlp from 'compromise/two';
import { slugOf, type EntityKind, type FoundEntity } from '../entity-kinds.js';
import { datesIn } from './dates.js';
import { toolsIn } from './tool-names.js';

/** Characters of a text that are read for names: this bounds the work for one text to some half a second. */
const READ = 16_000;
const MOST = 32;

const TAGGED = [
  ['organizations', '#Organization+'],
  ['places', '#Place+'],
  ['people', '#Person+'],
] as const;
const HONORIFIC =
  /^(?:mr|mrs|ms|miss|mx|dr|prof|professor|sir|lady|lord|uncle|aunt|auntie|grandma|grandpa)\.?\s+/i;
/** Greetings and the like, which begin a sentence with a capital as a name does. */
const NO_NAMES: ReadonlySet<string> = new Set(
  'hey hi hello wow yay yeah yep nope thanks thank oh ok okay sure cool great awesome good nice sorry please well bye cheers congrats mom mum dad god lord me you i he she they we it us him her them mr mrs ms dr sir user assistant system'.split(
    ' ',
  ),
);

/**
 * The people, places, organizations, dates and tools that an English text names, once each, at most 32. What is said in
 * another script is passed over: this reader would only guess. `said`: when, for 'yesterday' and the like.
 */
export function entitiesIn(text: string, said: Date): FoundEntity[] {
  const read = text.slice(0, READ);
  const found = new Map<string, FoundEntity>();
  const add = (kind: EntityKind, name: string) => {
    const slug = slugOf(name);
    // A name is of one kind: the first that claims it.
    if (slug.length > 1 && !found.has(slug) && found.size < MOST) found.set(slug, { kind, name });
  };
  for (const name of toolsIn(read)) add('tools', name);
  if (isMostlyLatin(read)) {
    const document = nlp(read);
    for (const [kind, tags] of TAGGED) {
      for (const match of document.match(tags).out('array') as string[]) {
        for (const name of namesOf(match, kind)) add(kind, name);
      }
    }
  }
  for (const date of datesIn(read, said)) add('dates', date);
  return [...found.values()];
}

/** A match as the tagger gives it, without what surrounds the name: 'New York, USA.' is two, `Maria's` is Maria. */
function namesOf(match: string, kind: EntityKind): string[] {
  return match.split(/[,;:()/"“”]+|\s[–-]\s/).flatMap((part) => {
    const trimmed = part
      .trim()
      .replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '')
      .replace(/['’]s$/i, '')
      .replace(kind === 'people' ? HONORIFIC : /^the\s+/i, '')
      .replace(/\s+/g, ' ');
    const capital = /\p{Lu}/u.test(trimmed);
    return capital && trimmed.length <= 80 && !NO_NAMES.has(trimmed.toLowerCase()) ? [trimmed] : [];
  });
}

function isMostlyLatin(text: string): boolean {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const latin = text.match(/[A-Za-z]/g)?.length ?? 0;
  return letters > 0 && latin >= letters * 0.8;
}
