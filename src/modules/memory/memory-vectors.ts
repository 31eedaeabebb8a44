import { Injectable, Logger } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { Ledger, WHOLE_TENANT } from '../../ledger/ledger.js';
import { openVector, textHash, type Part } from '../../ledger/sealed-memory.js';
import { EmbedderUnavailable } from '../../models/models.errors.js';
import { parseModelId } from '../../models/model-id.js';
import { Models } from '../../models/models.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import type { MadeVector, PendingVector } from './vector-rows.js';

/** Vectors by the hash of their text, for each model by its id. A text without one is embedded later. */
export type VectorsByText = Map<string, Map<string, Float32Array>>;

interface CachedRow extends QueryResultRow {
  workspace_id: WorkspaceId;
  memory_id: string;
  part: Part;
  model: string;
  hash: Buffer;
  vector: Buffer;
}

/** Turns texts into vectors, asking the ledger before any model: equal text is not embedded twice for one tenant. */
@Injectable()
export class MemoryVectors {
  private readonly logger = new Logger(MemoryVectors.name);

  constructor(
    private readonly ledger: Ledger,
    private readonly models: Models,
  ) {}

  /** The models that a write needs vectors of: the one that answers, and the one that is to answer next. */
  modelsFor(tenant: Tenant): string[] {
    return [...new Set([tenant.embeddingModel, this.models.currentId])];
  }

  /** A vector that the caller brought: it counts for each of the models whose length it has, and the text for the rest. */
  given(
    tenant: Tenant,
    workspace: WorkspaceId,
    id: string,
    hash: Buffer,
    vector: Float32Array,
  ): { made: MadeVector[]; missing: PendingVector[] } {
    const fits = (model: string) => parseModelId(model).dimensions === vector.length;
    const models = this.modelsFor(tenant);
    const text = (model: string): PendingVector => ({ workspace, id, part: 'alone', model });
    return {
      made: models.filter(fits).map((model) => ({ ...text(model), hash, given: true, vector })),
      missing: models.filter((model) => !fits(model)).map(text),
    };
  }

  /** A model that cannot be asked leaves its texts out; it never fails a write. */
  async of(tenant: Tenant, texts: string[]): Promise<VectorsByText> {
    const byHash = new Map(texts.map((text) => [textHash(tenant.key, text).toString('base64'), text]));
    const models = this.modelsFor(tenant);
    const found: VectorsByText = new Map(models.map((model) => [model, new Map<string, Float32Array>()]));
    if (byHash.size === 0) return found;
    for (const row of await this.cached(tenant, [...byHash.keys()], models)) {
      const vector = openVector(tenant.key, row.workspace_id, row.memory_id, row.part, row.vector);
      found.get(row.model)?.set(row.hash.toString('base64'), vector);
    }
    await Promise.all([...found].map(([model, vectors]) => this.embedMissing(model, byHash, vectors)));
    return found;
  }

  private cached(tenant: Tenant, hashes: string[], models: string[]): Promise<CachedRow[]> {
    return this.ledger.readRows<CachedRow>(
      tenant,
      WHOLE_TENANT,
      `SELECT DISTINCT ON (hash, model) workspace_id, memory_id, part, model, hash, vector FROM embeddings
         WHERE tenant_id = $1 AND hash = ANY($2) AND model = ANY($3) AND NOT given ORDER BY hash, model`,
      [tenant.id, hashes.map((hash) => Buffer.from(hash, 'base64')), models],
    );
  }

  private async embedMissing(
    model: string,
    texts: Map<string, string>,
    vectors: Map<string, Float32Array>,
  ): Promise<void> {
    const missing = [...texts].filter(([hash]) => !vectors.has(hash));
    const embedder = this.models.withId(model);
    if (missing.length === 0 || embedder === null) return;
    // One memory is somebody waiting for a reply; many are a load.
    const urgency = missing.length <= 2 ? 'query' : 'bulk';
    try {
      const made = await embedder.embed(
        missing.map(([, text]) => text),
        urgency,
      );
      missing.forEach(([hash], i) => {
        const vector = made[i];
        if (vector !== undefined) vectors.set(hash, vector);
      });
    } catch (error) {
      if (!(error instanceof EmbedderUnavailable)) throw error;
      this.logger.warn(
        `${missing.length} texts wait for ${model}: ${error.details.internal ?? error.message}`,
      );
    }
  }
}
