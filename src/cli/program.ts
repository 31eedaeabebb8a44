import { Command } from 'commander';
import { version } from '../platform/version.js';
import { addAgentCommands } from './agent-commands.js';
import { addHealthCommand } from './health-command.js';
import { addImportCommand } from './import-command.js';
import { addKeyCommands } from './key-commands.js';
import { manual } from './manual.js';
import { addMasterKeyCommands } from './master-key-commands.js';
import { addMemoryCommands } from './memory-commands.js';
import { addProjectionCommands } from './projection-commands.js';
import type { Session } from './session.js';
import { addTenantCommands } from './tenant-commands.js';
import { addWorkspaceCommands } from './workspace-commands.js';

const ABOUT = `
A client of a running server. From the environment, or from .env:
  LOCI_URL         where the server is (default: http://127.0.0.1, on PORT or 8000)
  ADMIN_API_TOKEN  the operator's token: for all commands but the next line's. Of an embedded server on this
                   machine it is found in the data folder: LOCI_DATA_DIR, ./.loci or /var/lib/loci
  LOCI_API_KEY     a tenant's key: for store and recall, and for the commands whose --tenant is left out

Exit codes:
  0  done
  1  refused by the server (4xx), or not confirmed; of import: some records were refused
  2  wrong usage, or a setting is missing or malformed
  3  no server answers, or it fails (5xx); of health: a part of it is down
  4  verify or rebuild ended with projections that differ from their ledger`;

/** All commands. Commander's own refusals are thrown, as `CommanderError`. */
export function buildProgram(session: Session, width?: number): Command {
  const program = new Command('loci')
    .description("Provision and watch the tenants of a Loci server, and try a tenant's memory")
    .version(version)
    .exitOverride()
    .showHelpAfterError('(--help says more)')
    .addHelpText('after', ABOUT);
  if (width !== undefined) program.configureOutput({ getOutHelpWidth: () => width });
  addTenantCommands(program, session);
  addWorkspaceCommands(program, session);
  addAgentCommands(program, session);
  addKeyCommands(program, session);
  addProjectionCommands(program, session);
  addMemoryCommands(program, session);
  addImportCommand(program, session);
  addMasterKeyCommands(program, session);
  addHealthCommand(program, session);
  program
    .command('manual')
    .description('Print what all commands say of themselves, as Markdown')
    .action(() => session.print(manual(buildProgram(session, 100))));
  return program;
}
