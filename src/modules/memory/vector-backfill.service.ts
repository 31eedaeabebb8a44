import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { systemCause } from '../../ledger/cause.js';
import { Ledger, WHOLE_TENANT } from '../../ledger/ledger.js';
import { joinedText, openContent, textHash, type Part } from '../../ledger/sealed-memory.js';
import type { Embedder } from '../../models/embedder.js';
import { EmbedderUnavailable } from '../../models/models.errors.js';
import { Models } from '../../models/models.js';
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
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.run();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** One look over all tenants; how many vectors it made. */
  async sweep(): Promise<number> {
    let made = 0;
    await this.modelChange.begin();
    for (const id of await this.directory.modelsInUse()) {
      const embedder = this.models.withId(id);
      if (embedder === null) continue;
      try {
        for (const tenant of await this.directory.waitingForVectors(id, TENANTS_AT_ONCE)) {
          if (this.stopping.signal.aborted) return made;
          made += await this.fill(tenant, id, embedder);
        }
      } catch (error) {
        // One model that is away must not keep the others' texts waiting.
        if (!(error instanceof EmbedderUnavailable)) throw error;
        this.logger.warn(`Texts go on waiting for ${id}: ${error.details.internal ?? error.message}`);
      }
    }
    await this.modelChange.finish();
    return made;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      let made = 0;
      try {
        made = await this.sweep();
      } catch (error) {
        this.logger.warn(`The vector backfill will try again: ${String(error)}`);
      }
      if (made === 0) await this.signal.next(LOOK_EVERY_MS, this.stopping.signal);
    }
  }

  private async fill(tenant: Tenant, model: string, embedder: Embedder): Promise<number> {
    const waiting = await this.waiting(tenant, model);
    if (waiting.length === 0) return 0;
    const vectors = await embedder.embed(
      waiting.map(({ text }) => text),
      'bulk',
    );
    const made = waiting.flatMap(({ text, pending }, i): MadeVector[] => {
      const vector = vectors[i];
      if (vector === undefined) return [];
      return [{ ...pending, hash: textHash(tenant.key, text), given: false, vector }];
    });
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
      await insertVectors(tx, arrived);
      for (const { workspace, id } of arrived) tx.changed(workspace, 'memory', id);
    });
    await this.spaces.open(tenant).indexed();
    return made.length;
  }

  private async waiting(tenant: Tenant, model: string): Promise<{ pending: PendingVector; text: string }[]> {
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
