import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { systemCause } from '../../ledger/cause.js';
import { Ledger, WHOLE_TENANT } from '../../ledger/ledger.js';
import { recordUnindexable } from '../../ledger/unindexable-record.js';
import { joinedText, openContent, textHash, type Part } from '../../ledger/sealed-memory.js';
import type { Embedder } from '../../models/embedder.js';
import { EmbedderUnavailable, TextRefused } from '../../models/models.errors.js';
import { Models } from '../../models/models.js';
import { Settings } from '../../platform/config/settings.js';
import { Spaces } from '../../spaces/spaces.js';
import type { Tenant } from '../../tenancy/principal.js';
import { TenantDirectory } from '../../tenancy/tenant-directory.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { BackfillSignal } from './backfill-signal.js';
import { ModelChange } from './model-change.service.js';
import { insertVectors, type MadeVector, type PendingVector } from './vector-rows.js';

const LOOK_EVERY_MS = 5_000;
/** Texts embedded between two writes: a query waits for one text at the most, other tenants for one batch. */
const BATCH = 32;
const TENANTS_AT_ONCE = 50;

interface PendingRow extends QueryResultRow {
  workspace_id: WorkspaceId;
  memory_id: string;
  part: Part;
  content: Buffer;
  previous_id: string | null;
  previous_content: Buffer | null;
}

interface WaitingText {
  pending: PendingVector;
  text: string;
}

/** Gives the texts that wait for a vector theirs: a change of its own, under a revision of its own. */
@Injectable()
export class VectorBackfill implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(VectorBackfill.name);
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly ledger: Ledger,
    private readonly directory: TenantDirectory,
    private readonly models: Models,
    private readonly spaces: Spaces,
    private readonly signal: BackfillSignal,
    private readonly modelChange: ModelChange,
    private readonly settings: Settings,
  ) {}

  /** An API process leaves it to the workers. */
  onApplicationBootstrap(): void {
    if (this.settings.role !== 'api') this.running = this.run();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** One look over all tenants; how many texts wait no longer. Neither a model nor a tenant that fails keeps others waiting. */
  async sweep(): Promise<number> {
    let settled = 0;
    await this.modelChange.begin();
    for (const id of await this.directory.modelsInUse()) {
      const embedder = this.models.withId(id);
      if (embedder === null) continue;
      for (const tenant of await this.directory.waitingForVectors(id, TENANTS_AT_ONCE)) {
        if (this.stopping.signal.aborted) return settled;
        try {
          settled += await this.fill(tenant, id, embedder);
        } catch (error) {
          this.logger.warn(`${tenant.space} goes on waiting for ${id}: ${reasonOf(error)}`);
          if (error instanceof EmbedderUnavailable) break;
        }
      }
    }
    await this.modelChange.finish();
    return settled;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      let settled = 0;
      try {
        settled = await this.sweep();
      } catch (error) {
        this.logger.warn(`The vector backfill will try again: ${String(error)}`);
      }
      if (settled === 0) await this.signal.next(LOOK_EVERY_MS, this.stopping.signal);
    }
  }

  private async fill(tenant: Tenant, model: string, embedder: Embedder): Promise<number> {
    const waiting = await this.waiting(tenant, model);
    if (waiting.length === 0) return 0;
    const space = this.spaces.open(tenant);
    await space.meet();
    const { embedded, refused } = await embedEach(embedder, waiting);
    // A model that refuses every text is set wrongly: that is not the texts' fault.
    if (refused.length > 0) await embedder.ping();
    const made = embedded.map(({ text, pending, vector }): MadeVector => ({
      ...pending,
      hash: textHash(tenant.key, text),
      given: false,
      vector,
    }));
    await this.ledger.write(tenant, WHOLE_TENANT, systemCause('vector-backfill'), async (tx) => {
      const current = await tx.rows<
        QueryResultRow & { workspace_id: WorkspaceId; memory_id: string; part: Part }
      >(STILL_WANTED, [
        tenant.id,
        made.map((v) => v.workspace),
        made.map((v) => v.id),
        made.map((v) => v.part),
        made.map((v) => v.hash),
        model,
      ]);
      const wanted = new Set(current.map((row) => `${row.workspace_id}/${row.memory_id}/${row.part}`));
      const arrived = made.filter((v) => wanted.has(`${v.workspace}/${v.id}/${v.part}`));
      insertVectors(tx, arrived);
      for (const { workspace, id } of arrived) tx.changed(workspace, 'memory', id);
      for (const { pending, error } of refused) {
        await tx.rows(STOP_WAITING, [tenant.id, pending.workspace, pending.id, pending.part, model]);
        await recordUnindexable(tx, 'memory', `${pending.part}:${model}`, pending, error);
      }
    });
    for (const { pending, error } of refused) {
      this.logger.error(
        `${tenant.space}: memory ${pending.id} gets no vector of ${model}: ${reasonOf(error)}`,
      );
    }
    await space.indexed();
    return waiting.length;
  }

  private async waiting(tenant: Tenant, model: string): Promise<WaitingText[]> {
    const rows = await this.ledger.read(tenant, WHOLE_TENANT, (tx) =>
      tx.rows<PendingRow>(WAITING, [tenant.id, model, BATCH]),
    );
    return rows.flatMap((row) => {
      const { workspace_id: workspace, memory_id: id, part } = row;
      const pending = { workspace, id, part, model };
      const content = openContent(tenant.key, workspace, id, row.content);
      if (part === 'alone') return [{ pending, text: content }];
      // A memory that has lost its predecessor since has no joined text: the write below forgets that it waited.
      if (row.previous_id === null || row.previous_content === null) return [{ pending, text: content }];
      const previous = openContent(tenant.key, workspace, row.previous_id, row.previous_content);
      return [{ pending, text: joinedText(previous, content) }];
    });
  }
}

/** Where texts are refused, halves find those that are to blame. Throws `EmbedderUnavailable` where it is not about a text. */
async function embedEach(
  embedder: Embedder,
  waiting: WaitingText[],
): Promise<{
  embedded: (WaitingText & { vector: Float32Array })[];
  refused: (WaitingText & { error: TextRefused })[];
}> {
  try {
    const vectors = await embedder.embed(
      waiting.map(({ text }) => text),
      'bulk',
    );
    return {
      embedded: waiting.flatMap((one, i) => {
        const vector = vectors[i];
        return vector === undefined ? [] : [{ ...one, vector }];
      }),
      refused: [],
    };
  } catch (error) {
    if (!(error instanceof TextRefused)) throw error;
    const [only] = waiting;
    if (waiting.length === 1 && only !== undefined) return { embedded: [], refused: [{ ...only, error }] };
    const middle = Math.ceil(waiting.length / 2);
    const head = await embedEach(embedder, waiting.slice(0, middle));
    const tail = await embedEach(embedder, waiting.slice(middle));
    return { embedded: [...head.embedded, ...tail.embedded], refused: [...head.refused, ...tail.refused] };
  }
}

function reasonOf(error: unknown): string {
  return error instanceof EmbedderUnavailable ? (error.details.internal ?? error.message) : String(error);
}

const STOP_WAITING = `
DELETE FROM pending_vectors WHERE tenant_id = $1 AND workspace_id = $2 AND memory_id = $3 AND part = $4 AND model = $5`;

const WAITING = `
SELECT p.workspace_id, p.memory_id, p.part, m.content, m.previous_id, b.content AS previous_content
FROM pending_vectors p
JOIN memories m ON m.tenant_id = p.tenant_id AND m.workspace_id = p.workspace_id AND m.id = p.memory_id
LEFT JOIN memories b ON b.tenant_id = m.tenant_id AND b.workspace_id = m.workspace_id AND b.id = m.previous_id
WHERE p.tenant_id = $1 AND p.model = $2
ORDER BY p.created_at, p.memory_id, p.part LIMIT $3`;

/** A text that changed while it was embedded keeps waiting; one that is no more stops. */
const STILL_WANTED = `
WITH made AS (
  SELECT v.*, CASE v.part WHEN 'alone' THEN m.alone_hash ELSE m.joined_hash END AS wanted
  FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::bytea[]) AS v (workspace_id, memory_id, part, hash)
  JOIN memories m ON m.tenant_id = $1 AND m.workspace_id = v.workspace_id AND m.id = v.memory_id
), settled AS (
  DELETE FROM pending_vectors p USING made
  WHERE p.tenant_id = $1 AND p.workspace_id = made.workspace_id AND p.memory_id = made.memory_id
    AND p.part = made.part AND p.model = $6 AND (made.wanted IS NULL OR made.wanted = made.hash)
)
SELECT workspace_id, memory_id, part FROM made WHERE wanted = hash`;
