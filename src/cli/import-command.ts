import type { Command } from 'commander';
import { tenantRef, valueOrStdin, wholeNumber } from './arguments.js';
import { CommandFailed, EXIT } from './command-failed.js';
import { AutoMemSource } from './import/automem-source.js';
import type { ImportSource, Kind, RefusedRecord } from './import/import-source.js';
import { importTarget, type ImportTarget } from './import/import-target.js';
import { Importer } from './import/importer.js';
import { NdjsonSource } from './import/ndjson-source.js';
import { PostgresSource } from './import/postgres-source.js';
import { rehearse } from './import/rehearsal.js';
import { readMapping, USUAL_MAPPING } from './import/table-mapping.js';
import { Tally, type TalliedKind } from './import/tally.js';
import type { Session } from './session.js';
import type { Column } from './table.js';

interface Options {
  tenant?: string;
  workspace?: string;
  map?: string;
  graph: string;
  origin: string;
  wait: number;
  dryRun?: true;
  json?: true;
}

const ABOUT = `
The source is one of
  a file             NDJSON: one object a line, {"kind": "memory", …} with the fields of POST /memory; kinds are
                     memory (also where none is named), relation (memory1_id, memory2_id, type, strength), agent
                     (name, slug, system_prompt, …) and document
  postgresql://…     a database with tables memories, memory_relations, agents, documents, or what --map says
  falkor://…         AutoMem's graph (redis:// will do); its Qdrant holds nothing else
  -                  one of the two addresses, read from stdin: a command line is seen by everybody on the machine

It goes through the running server's own routes and remembers nothing: ids are kept, an id that is no UUID becomes a
UUID made of it, and what is there already is left as it is. So run it again after a failure, or to bring what is new.
Without --tenant it is the tenant of LOCI_API_KEY, or else the default one. For an operator a key is made and revoked.

Documents are counted and left: no route takes them yet. Vectors are made anew. Nothing is written to the source.`;

export function addImportCommand(program: Command, session: Session): void {
  program
    .command('import')
    .description('Bring a single-tenant system, or a file, into a tenant while it is served')
    .argument('<source>', 'a file of NDJSON, postgresql://…, falkor://…, or - to read the address from stdin')
    .option('--tenant <tenant>', 'its slug or UUID; takes the admin token', tenantRef)
    .option('--workspace <workspace>', 'UUID or slug, for records that name none (default: the default one)')
    .option(
      '--map <file>',
      'JSON: {"memories": {"table": "notes", "columns": {"content": "body"}, "where": {}}}',
    )
    .option('--graph <name>', "AutoMem's graph", 'memories')
    .option('--origin <word>', "tells this system's ids from another's, where they are no UUIDs", '')
    .option('--wait <seconds>', 'for how long the server may be away', wholeNumber, 120)
    .option('--dry-run', 'read everything, send nothing')
    .option('--json', 'print what became of the records as JSON')
    .addHelpText('after', ABOUT)
    .action(async (given: string, options: Options) => {
      const source = await sourceOf(await valueOrStdin(given), options);
      try {
        await bring(session, source, options);
      } finally {
        await source.close();
      }
    });
}

/** Rejects with `CommandFailed`. */
async function sourceOf(given: string, { map, graph }: Options): Promise<ImportSource> {
  const mapping = map === undefined ? USUAL_MAPPING : readMapping(map);
  if (/^postgres(ql)?:\/\//.test(given)) return PostgresSource.open(given, mapping);
  if (/^(falkor|redis)s?:\/\//.test(given)) return AutoMemSource.open(given, graph);
  if (/^[a-z][a-z0-9+.-]*:\/\//.test(given)) {
    throw new CommandFailed(EXIT.usage, 'The source is none of a file, postgresql:// and falkor://.');
  }
  return NdjsonSource.open(given);
}

async function bring(session: Session, source: ImportSource, options: Options): Promise<void> {
  const survey = await source.survey();
  const bar = session.bar();
  const tally = new Tally(survey.counts, (refused) => {
    bar.clear();
    session.complain(new CommandFailed(EXIT.refused, refused.reason), nameOf(refused));
  });
  for (const note of survey.notes) session.remark(note);
  for (const refused of survey.refused) tally.refuse(refused);
  const onProgress = (): void => bar.show(tally.done, tally.found, 'records');
  let tenant: string | null = null;
  let failure: Error | null = null;
  try {
    if (options.dryRun === true) await rehearse(source, tally, onProgress);
    else {
      const target = await importTarget(session, options.tenant);
      tenant = target.tenant;
      await send(target, source, tally, options, onProgress);
    }
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    failure = error;
  } finally {
    bar.clear();
  }
  const outcome = { dry_run: options.dryRun === true, complete: failure === null, ...tally.outcome };
  if (options.json === true) session.print(`${JSON.stringify({ tenant_id: tenant, ...outcome })}\n`);
  else session.print(forPeople(session, tenant, tally));
  if (failure !== null) {
    if (tenant !== null) session.remark('What was stored stays. The same command goes on from there.');
    throw failure;
  }
  if (tally.refused.length > 0) session.exitCode = EXIT.refused;
}

/** Rejects with `CommandFailed`. */
async function send(
  { api, defaultWorkspace, release }: ImportTarget,
  source: ImportSource,
  tally: Tally,
  { workspace, origin, wait }: Options,
  onProgress: () => void,
): Promise<void> {
  const importer = new Importer(api, tally, {
    workspace: workspace ?? null,
    defaultWorkspace,
    origin,
    patienceMs: wait * 1_000,
    onProgress,
  });
  try {
    await importer.bring(source);
  } finally {
    await release();
  }
}

const NAMES: Record<Kind, string> = {
  agent: 'agents',
  memory: 'memories',
  relation: 'relations',
  document: 'documents',
};

const COLUMNS: Column<TalliedKind>[] = [
  { title: 'KIND', of: ({ kind }) => NAMES[kind] },
  { title: 'FOUND', of: ({ found }) => found },
  { title: 'STORED', of: ({ stored }) => stored },
  { title: 'THERE ALREADY', of: ({ existed }) => existed },
  { title: 'REFUSED', of: ({ refused }) => refused },
  { title: 'LEFT', of: ({ left }) => left },
];

function forPeople(session: Session, tenant: string | null, tally: Tally): string {
  const table = session.table(tally.rows, COLUMNS, '');
  const where = tenant === null ? '' : `\nInto ${tenant}.\n`;
  const left = tally.of('document').left > 0 ? 'Documents are not yet importable: they were left.\n' : '';
  const unread = tally.refused.filter(({ kind }) => kind === null).length;
  const lines = unread === 0 ? '' : `${unread} lines could not be read.\n`;
  return [table, where, lines, left].join('');
}

function nameOf({ place, kind }: RefusedRecord): string {
  return kind === null || place.startsWith(kind) ? place : `${place} (${kind})`;
}
