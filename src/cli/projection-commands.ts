import type { Command } from 'commander';
import { tenantRefs } from './arguments.js';
import { CommandFailed, EXIT } from './command-failed.js';
import type { LociApi, Reply } from './loci-api.js';
import type { ProjectionReply, VerdictReply } from './replies.js';
import type { Session } from './session.js';
import type { Column } from './table.js';
import { oneLine } from './terminal-text.js';
import { allTenants } from './tenant-list.js';

type Work = 'verify' | 'rebuild';

interface Options {
  all?: true;
  json?: true;
}

export function addProjectionCommands(program: Command, session: Session): void {
  const add = (work: Work, description: string): void => {
    program
      .command(work)
      .description(description)
      .argument('[tenants...]', 'slugs or UUIDs', tenantRefs)
      .option('--all', 'every tenant that is not deleted')
      .option('--json', "print the API's JSON, a line for each tenant")
      .action(async (named: string[], options: Options) => {
        const api = session.operator();
        const refs = await chosen(api, named, options);
        await eachInTurn(session, api, work, refs, options.json === true);
      });
  };
  add('verify', 'Hold the projections of tenants against their ledger; exit code 4 where they differ');
  add('rebuild', 'Build the projections of tenants anew from their ledger, and verify them');
}

/** Rejects with `CommandFailed`. */
async function chosen(api: LociApi, named: string[], { all }: Options): Promise<string[]> {
  if (all === true && named.length > 0) {
    throw new CommandFailed(EXIT.usage, 'Name tenants, or say --all: not both.');
  }
  if (all !== true) {
    if (named.length > 0) return named;
    throw new CommandFailed(EXIT.usage, 'Which tenants? Name them, or say --all.');
  }
  const { data } = await allTenants(api);
  return data.filter(({ state }) => state !== 'deleted').map(({ tenant_id }) => tenant_id);
}

/** A tenant that is refused is told and passed over; where the server is away there is no going on. */
async function eachInTurn(
  session: Session,
  api: LociApi,
  work: Work,
  refs: readonly string[],
  json: boolean,
): Promise<void> {
  const bar = session.bar();
  const verdicts: VerdictReply[] = [];
  let refused = false;
  try {
    for (const [done, ref] of refs.entries()) {
      bar.show(done, refs.length, `${work} ${ref}`);
      const reply = await verdictOf(api, work, ref);
      if (reply instanceof CommandFailed) {
        bar.clear();
        session.complain(reply, ref);
        refused = true;
        continue;
      }
      verdicts.push(reply.body);
      if (json) {
        bar.clear();
        session.print(`${reply.text}\n`);
      }
    }
  } finally {
    bar.clear();
    if (!json && (verdicts.length > 0 || refs.length === 0)) session.print(forPeople(session, verdicts));
  }
  if (refused) session.exitCode = EXIT.refused;
  else if (verdicts.some(({ equal }) => !equal)) session.exitCode = EXIT.different;
}

async function verdictOf(
  api: LociApi,
  work: Work,
  ref: string,
): Promise<Reply<VerdictReply> | CommandFailed> {
  try {
    return await api.post<VerdictReply>(`/admin/tenants/${ref}/${work}`);
  } catch (error) {
    if (error instanceof CommandFailed && error.exitCode === EXIT.refused) return error;
    throw error;
  }
}

const VERDICTS: Column<VerdictReply>[] = [
  { title: 'TENANT', of: ({ tenant_id }) => tenant_id },
  { title: 'EQUAL', of: ({ equal }) => (equal ? 'yes' : 'NO') },
  { title: 'VECTORS', of: ({ vectors }) => heldOf(vectors) },
  { title: 'GRAPH', of: ({ graph }) => heldOf(graph) },
];

function forPeople(session: Session, verdicts: readonly VerdictReply[]): string {
  const examples = verdicts.flatMap(({ tenant_id, vectors, graph }) => [
    ...examplesOf(`${tenant_id} vectors`, vectors),
    ...examplesOf(`${tenant_id} graph`, graph),
  ]);
  const rows = session.table(verdicts, VERDICTS, 'No tenants.');
  return examples.length === 0 ? rows : `${rows}\n${examples.map((line) => `${oneLine(line)}\n`).join('')}`;
}

const KINDS = ['missing', 'surplus', 'stale', 'changed'] as const;

/** `12 of 14, 2 missing`: what the projection holds of what the ledger has. */
function heldOf(projection: ProjectionReply): string {
  const counts = KINDS.filter((kind) => projection[kind].count > 0).map(
    (kind) => `${projection[kind].count} ${kind}`,
  );
  return [`${projection.in_projection} of ${projection.in_ledger}`, ...counts].join(', ');
}

function examplesOf(where: string, projection: ProjectionReply): string[] {
  return KINDS.flatMap((kind) => projection[kind].examples.map((example) => `${where} ${kind}: ${example}`));
}
