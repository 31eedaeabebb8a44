import { randomUUID } from 'node:crypto';
import { CommandFailed, EXIT } from '../command-failed.js';
import type { LociApi } from '../loci-api.js';
import { batchesOf, type Batch } from './batches.js';
import type { ImportRecord, ImportSource, Kind } from './import-source.js';
import { patiently } from './patience.js';
import { agentBody, memoryBody, relationBody, type Wanted } from './request-bodies.js';
import type { Tally } from './tally.js';

export interface ImportOptions {
  /** Where records lie that name no workspace; null: the key's own, or the tenant's default. */
  workspace: string | null;
  /** Which one that is. */
  defaultWorkspace: string;
  /** Tells the ids of one source from another's, where they are no UUIDs. */
  origin: string;
  /** For how long a server may be away. */
  patienceMs: number;
  onProgress(): void;
}

/** What became of a batch. */
interface Settled {
  stored: number;
  existed: number;
  failed: { index: number; reason: string }[];
}

interface FieldError {
  location: string;
  message: string;
}

interface StoredBatchReply {
  stored: number;
  created_count: number;
  failed: { index: number; detail: string; errors?: FieldError[] }[];
}

interface AssociatedReply {
  created_count: number;
  unchanged_count: number;
  failed: { index: number; error: string }[];
}

/** Statuses that are about these records, not about the whole import. */
const REFUSED_RECORDS = [400, 404, 409, 413, 422];

/**
 * Brings the records of a source into one tenant through the routes that its apps use. It remembers nothing: memories
 * keep their ids, agents their slugs, and a relation is its two ends and its type, so whatever is there already is found
 * there, and a run that was broken off is simply run again.
 */
export class Importer {
  private readonly run = randomUUID();
  private requests = 0;

  constructor(
    private readonly api: LociApi,
    private readonly tally: Tally,
    private readonly options: ImportOptions,
  ) {}

  /** Rejects with `CommandFailed` where there is no going on; what was stored until then stays. */
  async bring(source: ImportSource): Promise<void> {
    const { workspace, origin } = this.options;
    for await (const record of source.records('agent')) {
      const wanted = agentBody(record, workspace);
      await this.settle('agent', [wanted], () => this.storeAgent(wanted));
    }
    const memories = mapped(source.records('memory'), (record) => memoryBody(record, workspace, origin));
    for await (const batch of batchesOf(memories)) {
      await this.settle('memory', batch.wanted, () => this.storeMemories(batch));
    }
    const relations = mapped(source.records('relation'), (record) => relationBody(record, workspace, origin));
    for await (const batch of batchesOf(relations)) {
      await this.settle('relation', batch.wanted, () => this.storeRelations(batch));
    }
  }

  private async settle(kind: Kind, wanted: readonly Wanted[], store: () => Promise<Settled>): Promise<void> {
    const settled = await store().catch((error: unknown) => allRefused(error, wanted.length));
    const tally = this.tally.of(kind);
    tally.stored += settled.stored;
    tally.existed += settled.existed;
    for (const { index, reason } of settled.failed) {
      const record = wanted[index]?.record;
      if (record !== undefined) this.tally.refuse({ kind, place: record.place, reason });
    }
    this.options.onProgress();
  }

  private async storeAgent({ workspace, body }: Wanted): Promise<Settled> {
    const where = encodeURIComponent(workspace ?? this.options.defaultWorkspace);
    try {
      await this.post(`/v1/workspaces/${where}/agents`, body);
      return { stored: 1, existed: 0, failed: [] };
    } catch (error) {
      if (!(error instanceof CommandFailed) || error.refusal?.code !== 'agent.slug_taken') throw error;
      return { stored: 0, existed: 1, failed: [] };
    }
  }

  private async storeMemories({ workspace, wanted }: Batch): Promise<Settled> {
    const reply = await this.post<StoredBatchReply>('/memory/batch', {
      ...(workspace === null ? {} : { workspace_id: workspace }),
      memories: wanted.map(({ body }) => body),
    });
    return {
      stored: reply.created_count,
      existed: reply.stored - reply.created_count,
      failed: reply.failed.map(({ index, detail, errors = [] }) => ({
        index,
        reason: faultsOf(errors) || detail,
      })),
    };
  }

  private async storeRelations({ workspace, wanted }: Batch): Promise<Settled> {
    const reply = await this.post<AssociatedReply>('/associate', {
      ...(workspace === null ? {} : { workspace_id: workspace }),
      associations: wanted.map(({ body }) => body),
    });
    return {
      stored: reply.created_count - reply.unchanged_count,
      existed: reply.unchanged_count,
      failed: reply.failed.map(({ index, error }) => ({ index, reason: error })),
    };
  }

  private async post<Body>(path: string, body: object): Promise<Body> {
    // Of this run alone: another run shall hear what is there by then, not what was answered before.
    const key = `import-${this.run}-${++this.requests}`;
    const reply = await patiently(this.options.patienceMs, () => this.api.post<Body>(path, body, key));
    return reply.body;
  }
}

async function* mapped(
  records: AsyncIterable<ImportRecord>,
  read: (record: ImportRecord) => Wanted,
): AsyncIterable<Wanted> {
  for await (const record of records) yield read(record);
}

/** Where a whole request was refused. Throws what concerns more than its records. */
function allRefused(error: unknown, count: number): Settled {
  if (!(error instanceof CommandFailed) || error.refusal === null) throw error;
  const { status, errors } = error.refusal;
  if (error.exitCode !== EXIT.refused || !REFUSED_RECORDS.includes(status)) throw error;
  const failed = Array.from({ length: count }, (_, index) => {
    const own = count === 1 ? errors : errors.filter(({ location }) => location.includes(`[${index}]`));
    return { index, reason: faultsOf(own) || error.message };
  });
  return { stored: 0, existed: 0, failed };
}

/** `content is missing; tags …`: without the way to the item, which its place in the source says better. */
function faultsOf(errors: readonly FieldError[]): string {
  return errors
    .map(({ location, message }) =>
      `${location.replace(/^body\.?(?:(?:memories|associations)\[\d+\])?\.?/, '')} ${message}`.trim(),
    )
    .join('; ');
}
