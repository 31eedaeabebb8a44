import { CommanderError } from 'commander';
import { SettingsError } from '../platform/config/environment.js';
import { CommandFailed, EXIT, type ExitCode } from './command-failed.js';
import { buildProgram } from './program.js';
import { Session } from './session.js';

/** Runs one command to its end, and returns how the process should end. */
export async function runCli(args: readonly string[]): Promise<ExitCode> {
  // `loci tenant list | head`: who has read enough is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  const session = new Session();
  try {
    await buildProgram(session).parseAsync(args, { from: 'user' });
    return session.exitCode;
  } catch (error) {
    // Commander has said what is wrong; asking for help is nothing wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const failure = error instanceof SettingsError ? new CommandFailed(EXIT.usage, error.message) : error;
    if (!(failure instanceof CommandFailed)) throw error;
    session.complain(failure);
    return failure.exitCode;
  }
}
