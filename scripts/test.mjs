/**
 * npm test [-- <jest's arguments>] [--long]
 *
 * Builds (worker threads run from dist/ in tests too), runs every suite, says what this machine could not run, and
 * ends with the line `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepare } from './prepare.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const given = process.argv.slice(2);
const long = given.includes('--long');
const results = mkdtempSync(join(tmpdir(), 'loci-results-'));
const json = join(results, 'jest.json');
const notes = join(results, 'not-run.txt');
writeFileSync(notes, '');
// Ctrl-C reaches jest too: what it leaves is still to be tidied here.
process.on('SIGINT', () => undefined);

try {
  const node = await prepare({ build: true });
  const failed = await jest(node);
  process.exitCode = report(failed);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(results, { recursive: true, force: true });
}

function jest(node) {
  const args = [join(root, 'node_modules', 'jest', 'bin', 'jest.js'), '--json', `--outputFile=${json}`];
  const child = spawn(node, [...args, ...given.filter((arg) => arg !== '--long')], {
    cwd: root,
    env: { ...process.env, LOCI_TEST_NOTES: notes, ...(long && { LOCI_TEST_LONG: '1' }) },
    // The same results as in the file: nothing anybody wants to read.
    stdio: ['inherit', 'ignore', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code !== 0));
  });
}

/** Returns the exit code. */
function report(jestFailed) {
  const result = readResult();
  const skipped = result.testResults.flatMap((suite) =>
    suite.assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed'),
  );
  const reasons = [...new Set(readFileSync(notes, 'utf8').split('\n').filter(Boolean))];
  if (!long) reasons.push('The long suites ran their short form: npm run test:long runs them in full.');
  console.log('\nNot run on this machine, or not in full:');
  for (const reason of reasons) console.log(`- ${reason}`);
  for (const { fullName } of skipped) console.log(`- skipped: ${fullName}`);
  // A suite that could not even be loaded has no failed test, but has failed.
  let failures = result.numFailedTests + result.numRuntimeErrorTestSuites;
  if (jestFailed && failures === 0) {
    console.log('\nJest failed outside of any test: see above.');
    failures = 1;
  }
  const { numPassedTests: passed } = result;
  console.log(
    `\n${passed} passed, ${failures} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`,
  );
  return failures > 0 ? 1 : 0;
}

/** Nothing ran where jest ended before it had results. */
function readResult() {
  try {
    return JSON.parse(readFileSync(json, 'utf8'));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 0, testResults: [] };
  }
}
