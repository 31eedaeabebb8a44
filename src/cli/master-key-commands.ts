import type { Command } from 'commander';
import type { MasterKeyReply, RotatedMasterKeyReply } from './replies.js';
import type { Session } from './session.js';
import { facts } from './table.js';

interface Options {
  json?: true;
}

export function addMasterKeyCommands(program: Command, session: Session): void {
  const masterKey = program
    .command('master-key')
    .description("The key that wraps every tenant's own, and putting another in its place");
  masterKey
    .command('show')
    .description('Which master key wraps, by its name, and whether a rotation is under way')
    .option('--json', "print the API's JSON")
    .action(async ({ json }: Options) => {
      const reply = await session.operator().get<MasterKeyReply>('/admin/master-key');
      session.show(reply, json === true, forPeople);
    });
  masterKey
    .command('rotate')
    .description(
      "Wrap every tenant's key by the next master key, while servers run: the one in LOCI_MASTER_KEY, where the servers " +
        'have the present one in LOCI_MASTER_KEY_PREVIOUS; a new one where it lies in the data folder. ' +
        'Cut off, it goes on when it is asked for again',
    )
    .option('--json', "print the API's JSON")
    .action(async ({ json }: Options) => {
      const reply = await session.operator().post<RotatedMasterKeyReply>('/admin/master-key/rotate');
      session.show(
        reply,
        json === true,
        (body) => `${facts([['wrapped anew', body.rewrapped]])}${forPeople(body)}`,
      );
    });
}

function forPeople({ key, known, remaining }: MasterKeyReply): string {
  return facts([
    ['master key', key],
    ['known here', known.join(', ')],
    ['still to be wrapped', remaining],
  ]);
}
