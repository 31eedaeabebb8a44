import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { Ledger } from '../../ledger/ledger.js';
import { openVector } from '../../ledger/sealed-memory.js';
import { Spaces } from '../../spaces/spaces.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { relateMemories, type RelationDraft } from '../memory/relation-rows.js';
import { associationsAmong, pairOf, type Association, type SampledMemory } from './associations.js';
import { SHOWN, type Step, type StepOrder, type StepReport } from './step.js';

/** Memories that are drawn by lot: some two thousand pairs. */
const SAMPLE = 64;
const BOUNDS = { each: 2, most: 20 };

interface SampleRow extends QueryResultRow {
  id: string;
  type: string;
  tags: string[];
  timestamp: Date;
  vector: Buffer;
}

/** Relates, by DISCOVERED, memories that were drawn by lot and have more to do with each other than they say. */
@Injectable()
export class CreativeAssociation implements Step {
  constructor(
    private readonly ledger: Ledger,
    private readonly spaces: Spaces,
  ) {}

  async run(tenant: Tenant, workspace: WorkspaceId, order: StepOrder): Promise<StepReport> {
    const sample = await this.sample(tenant, workspace);
    const related = await this.relatedAmong(
      tenant,
      workspace,
      sample.map(({ id }) => id),
    );
    const found = associationsAmong(sample, related, BOUNDS);
    const created = order.dryRun ? 0 : await this.relate(tenant, workspace, order, found);
    order.progress(sample.length, sample.length);
    return { sampled: sample.length, discovered: found.length, created, associations: found.slice(0, SHOWN) };
  }

  /** Ids are random, so those that follow a random one are drawn by lot; after the last comes the first. */
  private async sample(tenant: Tenant, workspace: WorkspaceId): Promise<SampledMemory[]> {
    const rows = await this.ledger.readRows<SampleRow>(tenant, workspace, DRAWN, [
      tenant.id,
      workspace,
      randomUUID(),
      tenant.embeddingModel,
      SAMPLE,
    ]);
    return rows.map(({ id, type, tags, timestamp, vector }) => ({
      id,
      type,
      tags,
      timestamp,
      vector: openVector(tenant.key, workspace, id, 'alone', vector),
    }));
  }

  private async relatedAmong(tenant: Tenant, workspace: WorkspaceId, ids: string[]): Promise<Set<string>> {
    const rows = await this.ledger.readRows<QueryResultRow & { from_id: string; to_id: string }>(
      tenant,
      workspace,
      `SELECT from_id, to_id FROM relations WHERE tenant_id = $1 AND workspace_id = $2
         AND from_id = ANY($3::uuid[]) AND to_id = ANY($3::uuid[])`,
      [tenant.id, workspace, ids],
    );
    return new Set(rows.map(({ from_id: from, to_id: to }) => pairOf(from, to)));
  }

  private async relate(
    tenant: Tenant,
    workspace: WorkspaceId,
    { cause }: StepOrder,
    found: readonly Association[],
  ): Promise<number> {
    if (found.length === 0) return 0;
    const drafts = found.map(({ from, to, kind, confidence, similarity }): RelationDraft => ({
      from,
      to,
      type: 'DISCOVERED',
      strength: Math.fround(confidence),
      attributes: { kind, confidence, score: similarity, reason: 'consolidation' },
    }));
    const { result } = await this.ledger.write(tenant, workspace, cause, async (tx) => {
      const { written } = await relateMemories(tx, workspace, drafts);
      tx.record(
        'consolidation.associate',
        workspace,
        written.map(({ id }) => id),
      );
      return written.length;
    });
    await this.spaces.open(tenant).indexed();
    return result;
  }
}

const DRAWN = `
WITH drawn AS NOT MATERIALIZED (
  SELECT m.id, m.type, m.tags, m.timestamp, v.vector, m.id < $3 AS wrapped FROM memories m
  JOIN embeddings v ON v.tenant_id = $1 AND v.workspace_id = $2 AND v.memory_id = m.id AND v.part = 'alone'
    AND v.model = $4 AND v.hash = m.alone_hash
  LEFT JOIN memory_stats s ON s.tenant_id = $1 AND s.workspace_id = $2 AND s.memory_id = m.id
  WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.archived_at IS NULL AND COALESCE(s.relevance, 1) > 0.3
    AND NOT EXISTS (SELECT FROM derived_memories d WHERE d.tenant_id = $1 AND d.workspace_id = $2 AND d.memory_id = m.id)
)
(SELECT * FROM drawn WHERE NOT wrapped ORDER BY id LIMIT $5) UNION ALL
(SELECT * FROM drawn WHERE wrapped ORDER BY id LIMIT $5)
LIMIT $5`;
