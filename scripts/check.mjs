/**
 * npm run check [-- --no-test]
 *
 * All that CI asks for: format, lint, types, boundaries, and the tests. One line for each step; what a step has to
 * say only where it fails. Ends with the line `N passed, N failed`: of the steps, or where the tests ran, of those.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const steps = [
  ['format', 'prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'],
  ['lint', 'eslint/bin/eslint.js', '--max-warnings=0', '.'],
  ['types', 'typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.test.json'],
  [
    'boundaries',
    'dependency-cruiser/bin/dependency-cruise.mjs',
    '--config',
    '.dependency-cruiser.cjs',
    'src',
  ],
];

const failed = steps.filter(([name, program, ...args]) => {
  const began = performance.now();
  const command = [join(root, 'node_modules', program), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'}  ${name.padEnd(10)}  ${seconds} s`);
  if (status !== 0) console.log(`${stdout}${stderr}`.trimEnd());
  return status !== 0;
});

if (failed.length === 0 && !process.argv.includes('--no-test')) {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'test.mjs')], {
    cwd: root,
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
} else {
  console.log(`\n${steps.length - failed.length} passed, ${failed.length} failed`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}
