import { Injectable } from '@nestjs/common';
import { ChatModels } from '../../models/chat-models.js';
import type { Tenant } from '../../tenancy/principal.js';
import { isReadByModels } from '../enrichment/enrichment-settings.js';
import { ExtractivePatterns, type PatternWriter } from './pattern-writer.js';
import { ReflectivePatterns } from './reflective-patterns.js';

/** Clusters that a model is asked about in one run. */
const MOST_REFLECTIONS = 20;

/** Who puts a tenant's clusters into words. */
@Injectable()
export class PatternWriters {
  private readonly extractive = new ExtractivePatterns();

  constructor(private readonly models: ChatModels) {}

  /** For one run. The tenant's language model, where it has one and lets it read what is stored; else their own words. */
  async for(tenant: Tenant): Promise<PatternWriter> {
    const model = isReadByModels(tenant.settings) ? await this.models.for(tenant) : null;
    return model === null
      ? this.extractive
      : new ReflectivePatterns(model, this.extractive, MOST_REFLECTIONS);
  }
}
