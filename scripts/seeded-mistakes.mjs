/**
 * node scripts/seeded-mistakes.mjs [part of a name]
 *
 * Makes the mistakes of test/isolation/seeded-mistakes.json, one at a time, in a copy of this checkout, and runs the
 * test that is to catch it there. Each must fail, by an assertion of its own; without any mistake all must pass.
 * One line for each mistake; ends with `N caught, N missed`.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const wanted = process.argv[2] ?? '';
const all = JSON.parse(readFileSync(join(root, 'test/isolation/seeded-mistakes.json'), 'utf8'));
const mistakes = all.filter(({ name }) => name.includes(wanted));
const LEFT_BEHIND = new Set(['node_modules', '.git', 'dist', '.loci', 'coverage']);

const copy = mkdtempSync(join(tmpdir(), 'loci-mistakes-'));
process.on('SIGINT', () => undefined);
try {
  cpSync(root, copy, {
    recursive: true,
    filter: (path) => path === root || !LEFT_BEHIND.has(basename(path)),
  });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  process.exitCode = run();
} finally {
  rmSync(copy, { recursive: true, force: true });
}

/** Returns the exit code. */
function run() {
  const sound = testsWithout(mistakes);
  if (sound !== null) {
    console.log(`Without any mistake these tests must pass, and do not:\n${sound}`);
    return 1;
  }
  let missed = 0;
  for (const mistake of mistakes) {
    const because = caught(mistake);
    if (because !== null) missed++;
    console.log(
      `${because === null ? 'caught' : 'MISSED'}  ${mistake.name}${because === null ? '' : `\n        ${because}`}`,
    );
  }
  console.log(`\n${mistakes.length - missed} caught, ${missed} missed`);
  return missed > 0 || mistakes.length === 0 ? 1 : 0;
}

/** Null where all of them pass; otherwise what failed. */
function testsWithout(unmade) {
  build();
  const suites = [...new Set(unmade.map(({ suite }) => suite))];
  const { results, output } = jest(suites, unmade.map(({ test }) => test).join('|'));
  return results?.success === true ? null : output;
}

/** Null where the mistake was caught; otherwise why it cannot be said to have been. */
function caught({ file, find, put, suite, test }) {
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  const times = source.split(find).length - 1;
  if (times !== 1)
    return `${file} holds the text ${times} times: bring test/isolation/seeded-mistakes.json up to date`;
  writeFileSync(
    path,
    source.replace(find, () => put),
  );
  try {
    build();
    const { results, output } = jest([suite], test);
    const ran = results?.testResults.flatMap(({ assertionResults }) => assertionResults) ?? [];
    const failed = ran.filter(({ status }) => status === 'failed');
    if (failed.length === 0) return results === null ? `jest did not run:\n${output}` : 'every test passes';
    // A server that does not even start would fail them all, and show nothing.
    const asserted = failed.some(({ failureMessages }) =>
      failureMessages.some((text) => /expect\(|Expected|Received/.test(text)),
    );
    return asserted ? null : `fails, but by no assertion: ${failed[0].failureMessages[0]}`;
  } finally {
    writeFileSync(path, source);
  }
}

/** Worker threads run from dist/. */
function build() {
  const args = ['src', '-d', 'dist', '--strip-leading-paths', '--quiet'];
  const { status, stderr } = node(join(root, 'node_modules/@swc/cli/bin/swc.js'), args);
  if (status !== 0) throw new Error(`The copy does not build:\n${stderr}`);
}

function jest(suites, pattern) {
  const file = join(copy, 'results.json');
  rmSync(file, { force: true });
  const args = [...suites, '-t', pattern, '--json', `--outputFile=${file}`];
  const { stderr } = node(join(root, 'node_modules/jest/bin/jest.js'), args);
  try {
    return { results: JSON.parse(readFileSync(file, 'utf8')), output: stderr };
  } catch {
    return { results: null, output: stderr };
  }
}

function node(program, args) {
  return spawnSync(process.execPath, [program, ...args], {
    cwd: copy,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
}
