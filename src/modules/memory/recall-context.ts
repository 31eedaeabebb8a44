import { askedTerms } from '../../spaces/asked-terms.js';
import { codeLanguageNames, codeLanguageOfFile } from './code-languages.js';
import { comparedTag } from '../../ledger/compared-tags.js';
import { tagsIn, type CallerContext } from './question.js';

export const NO_CONTEXT: CallerContext = { tags: [], types: [], words: [] };

/** Tags and terms that are drawn from hints, beside the tags that are named outright. */
const MOST_DRAWN = 16;
/** A tag cannot be longer. */
const LONGEST_TAG = 128;
/** Of a path's folders, so many next to the file. */
const FOLDERS = 3;

/** Parts of paths that every project has. */
const EVERYWHERE: ReadonlySet<string> = new Set(
  `src lib libs app apps test tests spec specs index main mod init dist build out bin home users usr var tmp opt
   packages node_modules vendor`.split(/\s+/),
);

/**
 * What a caller's hints mean: `context` is a label or words ('coding-style'), `language` one of programming or of people,
 * `path` the file that is being worked on, whose ending tells a programming language and whose names are words.
 */
export function contextOf(hints: {
  tags: readonly string[];
  types: readonly string[];
  context?: string | undefined;
  language?: string | undefined;
  path?: string | undefined;
}): CallerContext {
  const label = hints.context?.trim() ?? '';
  const languages = [
    ...(hints.language === undefined ? [] : codeLanguageNames(hints.language)),
    ...(hints.path === undefined ? [] : codeLanguageOfFile(hints.path)),
  ];
  const names = hints.path === undefined ? [] : namesIn(hints.path);
  const drawn = [...new Set([label, ...languages, ...names, ...tagsIn(label)].map(comparedTag))];
  const words = [label, ...languages, ...names.map(spaced)];
  return {
    tags: [...new Set([...hints.tags, ...drawn.filter(isTag).slice(0, MOST_DRAWN)])],
    types: hints.types.map((type) => type.toLowerCase()),
    words: [...new Map(askedTerms(words.join('\n')).map((word) => [word[0], word])).values()].slice(
      0,
      MOST_DRAWN,
    ),
  };
}

function isTag(word: string): boolean {
  return word !== '' && word.length <= LONGEST_TAG;
}

/** The file's name, with its ending and without, and the folders next to it. */
function namesIn(path: string): string[] {
  const parts = path.split(/[/\\]/).filter((part) => part !== '' && !/^\.+$/.test(part));
  const file = parts.pop() ?? '';
  const bare = file.replace(/(?<=.)\.[^.]*$/, '');
  const folders = parts.slice(-FOLDERS).reverse();
  return [...new Set([file, bare, ...folders])].filter((name) => !EVERYWHERE.has(name.toLowerCase()));
}

/** `paymentGateway` is two words to whoever writes of it. */
function spaced(name: string): string {
  return name.replace(/(?<=\p{Ll})(?=\p{Lu})|[_-]/gu, ' ');
}
