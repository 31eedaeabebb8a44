import { spawn } from 'node:child_process';
import { join } from 'node:path';

const CLI = join(__dirname, '../../dist/cli.js');

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Surroundings {
  /** Where `.env` and `.loci` are looked for. */
  cwd: string;
  /** All of the environment but PATH. */
  env?: Record<string, string>;
  input?: string;
}

/** Runs the compiled command line as a process of its own, without a terminal. */
export function runLoci(
  args: readonly string[],
  { cwd, env = {}, input = '' }: Surroundings,
): Promise<Ended> {
  const child = spawn(process.execPath, [CLI, ...args], { cwd, env: { PATH: process.env['PATH'], ...env } });
  child.stdin.end(input);
  return ended(child);
}

/**
 * Runs it at a terminal of its own, made by the program `script`; types `answer` once `question` is asked. What both
 * streams show comes as `stdout`. Null: this machine has no such program.
 */
export async function runLociAtTerminal(
  args: readonly string[],
  { cwd, env = {} }: Surroundings,
  question: string,
  answer: string,
): Promise<Ended | null> {
  const command = [process.execPath, CLI, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    cwd,
    env: { PATH: process.env['PATH'], TERM: 'xterm', ...env },
  });
  let seen = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const before = seen;
    seen += chunk.toString();
    if (!before.includes(question) && seen.includes(question)) child.stdin.write(`${answer}\n`);
  });
  try {
    return await ended(child);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function ended(child: ReturnType<typeof spawn>): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const text = { stdout: '', stderr: '' };
    child.stdout?.on('data', (chunk: Buffer) => (text.stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...text }));
  });
}
