import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { textHash } from '../../ledger/sealed-memory.js';
import { EmbedderUnavailable } from '../../models/models.errors.js';
import { Models } from '../../models/models.js';
import type { Tenant } from '../../tenancy/principal.js';

/** Some 8 MB of vectors of 384 dimensions. */
const REMEMBERED = 5_000;

/**
 * Vectors of questions. Remembered for each tenant by the hash of the text under its key, so that a repeated question
 * is not embedded again and no tenant can tell from the time it takes what another has asked.
 */
@Injectable()
export class QuestionVectors {
  private readonly remembered = new LRUCache<string, Float32Array>({ max: REMEMBERED });

  constructor(private readonly models: Models) {}

  /** Null where the model that answers for this tenant cannot be asked: recall goes on by text. */
  async of(tenant: Tenant, query: string): Promise<Float32Array | null> {
    const name = `${tenant.embeddingModel}/${textHash(tenant.key, query).toString('base64')}`;
    const known = this.remembered.get(name);
    if (known !== undefined) return known;
    const embedder = this.models.withId(tenant.embeddingModel);
    if (embedder === null) return null;
    try {
      const [vector] = await embedder.embed([query], 'query');
      if (vector === undefined) return null;
      this.remembered.set(name, vector);
      return vector;
    } catch (error) {
      if (error instanceof EmbedderUnavailable) return null;
      throw error;
    }
  }
}
