import type { Command } from 'commander';
import { EXIT } from './command-failed.js';
import type { HealthReply } from './replies.js';
import type { Session } from './session.js';
import { facts } from './table.js';

export function addHealthCommand(program: Command, session: Session): void {
  program
    .command('health')
    .description('Ask how the server and its stores are; exit code 3 where a part is down. Needs no token')
    .option('--json', "print the API's JSON")
    .action(async ({ json }: { json?: true }) => {
      const reply = await session.anyone().get<HealthReply>('/health');
      session.show(reply, json === true, ({ status, version, stores }) =>
        facts([['status', status], ['version', version], ...Object.entries(stores)]),
      );
      if (reply.body.status !== 'healthy') session.exitCode = EXIT.away;
    });
}
