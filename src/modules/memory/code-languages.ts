/** Programming languages: the names that tags and texts have for them, the usual one first, and how their files end. */
const LANGUAGES: { names: string[]; endings: string[] }[] = [
  { names: ['python', 'py'], endings: ['py', 'pyi', 'ipynb'] },
  { names: ['typescript', 'ts'], endings: ['ts', 'tsx', 'mts', 'cts'] },
  { names: ['javascript', 'js'], endings: ['js', 'jsx', 'mjs', 'cjs'] },
  { names: ['go', 'golang'], endings: ['go'] },
  { names: ['rust', 'rs'], endings: ['rs'] },
  { names: ['java'], endings: ['java'] },
  { names: ['kotlin'], endings: ['kt', 'kts'] },
  { names: ['csharp', 'c#', 'cs'], endings: ['cs'] },
  { names: ['cpp', 'c++'], endings: ['cpp', 'cc', 'cxx', 'hpp'] },
  { names: ['c'], endings: ['c', 'h'] },
  { names: ['swift'], endings: ['swift'] },
  { names: ['ruby', 'rb'], endings: ['rb'] },
  { names: ['php'], endings: ['php'] },
  { names: ['scala'], endings: ['scala'] },
  { names: ['elixir'], endings: ['ex', 'exs'] },
  { names: ['shell', 'bash'], endings: ['sh', 'bash', 'zsh'] },
  { names: ['sql'], endings: ['sql'] },
  { names: ['html'], endings: ['html', 'htm'] },
  { names: ['css'], endings: ['css', 'scss', 'less'] },
  { names: ['markdown', 'md'], endings: ['md', 'mdx'] },
];

const byName = new Map(LANGUAGES.flatMap(({ names }) => names.map((name) => [name, names])));
const byEnding = new Map(LANGUAGES.flatMap(({ names, endings }) => endings.map((ending) => [ending, names])));

/** All names of a programming language, for one of them or the ending of its files; of another word the word itself. */
export function codeLanguageNames(hint: string): string[] {
  const name = hint.trim().toLowerCase();
  if (name === '') return [];
  return byName.get(name) ?? byEnding.get(name) ?? [name];
}

/** The names of the language that a file is written in, by its ending; none where that is nobody's. */
export function codeLanguageOfFile(path: string): string[] {
  const [, ending = ''] = /\.([^./\\]+)$/.exec(path) ?? [];
  return byEnding.get(ending.toLowerCase()) ?? [];
}
