import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { CommandFailed, EXIT } from './command-failed.js';
import type { LociApi, Reply } from './loci-api.js';
import type { PlacementReply } from './replies.js';
import type { Session } from './session.js';

const LOOK_EVERY_MS = 250;

/** `tenant move`: begins, and with `--wait` looks on until the tenant is there. */
export function addTenantMove(command: Command, session: Session): void {
  command
    .argument('<placement>', 'a placement that the installation knows')
    .option('--wait', 'look on until it is there')
    .action(async (ref: string, placement: string, { wait, json }: { wait?: true; json?: true }) => {
      const api = session.operator();
      const begun = await api.post<PlacementReply>(`/admin/tenants/${ref}/placement`, { placement });
      const reply = wait === true ? await arrival(session, api, ref, placement, begun) : begun;
      session.show(reply, json === true, (body) => whereabouts(ref, body));
    });
}

/** Rejects with `CommandFailed`, also where the tenant settled elsewhere. */
async function arrival(
  session: Session,
  api: LociApi,
  ref: string,
  placement: string,
  begun: Reply<PlacementReply>,
): Promise<Reply<PlacementReply>> {
  const bar = session.bar();
  let seen = begun;
  try {
    while (seen.body.state === 'moving') {
      const { revision, vectors, graph } = seen.body.progress ?? { revision: 0, vectors: 0, graph: 0 };
      bar.show(Math.min(vectors, graph), revision, `${ref} to ${placement}`);
      await pause(LOOK_EVERY_MS);
      seen = await api.get<PlacementReply>(`/admin/tenants/${ref}/placement`);
    }
  } finally {
    bar.clear();
  }
  if (seen.body.placement === placement) return seen;
  throw new CommandFailed(EXIT.refused, `${ref} has settled in ${seen.body.placement}, not in ${placement}.`);
}

function whereabouts(ref: string, { placement, moving_to, progress }: PlacementReply): string {
  if (moving_to === null) return `${ref} is in ${placement}.\n`;
  const far =
    progress === null
      ? ''
      : `: ${Math.min(progress.vectors, progress.graph)} of ${progress.revision} changes are there`;
  return `${ref} is on its way from ${placement} to ${moving_to}${far}.\n`;
}
