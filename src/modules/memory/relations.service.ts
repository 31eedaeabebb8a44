import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import type { Cause } from '../../ledger/cause.js';
import { Ledger } from '../../ledger/ledger.js';
import type { Related } from '../../spaces/graph-space.js';
import { isOutage, SpaceWaking } from '../../spaces/space-errors.js';
import { Spaces } from '../../spaces/spaces.js';
import type { Tenant } from '../../tenancy/principal.js';
import { isUuid, type WorkspaceId } from '../../tenancy/tenant.js';
import { CandidateGate } from './candidate-gate.service.js';
import { memoryOf, MEMORY_COLUMNS, type MemoryRow } from './memory-rows.js';
import { MemoryNotFound } from './memory.errors.js';
import type { Memory } from './memory.js';

/** The relations that callers may author. */
export const RELATION_TYPES = [
  'RELATES_TO',
  'LEADS_TO',
  'OCCURRED_BEFORE',
  'PREFERS_OVER',
  'EXEMPLIFIES',
  'CONTRADICTS',
  'REINFORCES',
  'INVALIDATED_BY',
  'EVOLVED_INTO',
  'DERIVED_FROM',
  'PART_OF',
] as const;
export type RelationType = (typeof RELATION_TYPES)[number];

export interface RelationDraft {
  from: string;
  to: string;
  type: RelationType;
  /** 0..1 */
  strength: number;
}

/** `missing`: one of the memories is not there. `changed` is false where it was there already, just as strong. */
export type AssociateOutcome = { outcome: 'related'; id: string; changed: boolean } | { outcome: 'missing' };

export interface Associated {
  outcomes: AssociateOutcome[];
  indexed: boolean;
}

/** A memory that was reached, and how. */
export interface RelatedMemory extends Related {
  memory: Memory;
}

interface RelationRow extends QueryResultRow {
  id: string;
  from_id: string;
  to_id: string;
  type: string;
  changed: boolean;
}

@Injectable()
export class RelationsService {
  constructor(
    private readonly ledger: Ledger,
    private readonly spaces: Spaces,
    private readonly gate: CandidateGate,
  ) {}

  /**
   * Relates memories of one workspace, all in one transaction. The same ends and type again: the new strength holds, and
   * where it is the old one nothing changes.
   * One outcome for each draft, in order.
   */
  async associate(
    tenant: Tenant,
    workspace: WorkspaceId,
    drafts: RelationDraft[],
    cause: Cause,
  ): Promise<Associated> {
    const space = this.spaces.open(tenant);
    await space.meet();
    const { result } = await this.ledger.write(tenant, workspace, cause, async (tx) => {
      const ends = [...new Set(drafts.flatMap(({ from, to }) => [from, to]))];
      const found = await tx.rows<{ id: string }>(
        `SELECT id FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[])`,
        [tenant.id, workspace, ends],
      );
      const known = new Set(found.map((row) => row.id));
      const good = [
        ...new Map(
          drafts
            .filter(({ from, to }) => known.has(from) && known.has(to))
            .map((draft) => [edgeName(draft), draft]),
        ).values(),
      ];
      const held = await tx.rows<RelationRow>(UPSERT, [
        tenant.id,
        workspace,
        good.map(() => randomUUID()),
        good.map((draft) => draft.from),
        good.map((draft) => draft.to),
        good.map((draft) => draft.type),
        good.map((draft) => draft.strength),
      ]);
      const byName = new Map(held.map((row) => [`${row.from_id}/${row.type}/${row.to_id}`, row]));
      const rows = held.filter(({ changed }) => changed);
      const changed = good
        .filter((draft) => byName.get(edgeName(draft))?.changed === true)
        .map(({ from, to, type, strength }) => ({ from, to, type, strength }));
      for (const row of rows) tx.changed(workspace, 'relation', row.id);
      tx.record(
        'relation.create',
        workspace,
        rows.map(({ id }) => id),
        { after: { relations: changed } },
      );
      if (rows.length > 0) tx.meter(workspace, 'relations_stored', rows.length);
      const outcomes = drafts.map((draft): AssociateOutcome => {
        const row = byName.get(edgeName(draft));
        if (row === undefined) return { outcome: 'missing' };
        return { outcome: 'related', id: row.id, changed: row.changed };
      });
      return { outcomes, indexed: false };
    });
    return { ...result, indexed: await space.indexed() };
  }

  /** The memories around one, nearest first. Throws `MemoryNotFound`. */
  async related(
    tenant: Tenant,
    workspace: WorkspaceId,
    id: string,
    options: { types?: string[]; depth: number; limit: number },
  ): Promise<RelatedMemory[]> {
    await this.ledger.read(tenant, workspace, async (tx) => {
      const rows = await tx.rows(
        `SELECT FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = $3`,
        [tenant.id, workspace, id],
      );
      if (rows.length === 0) throw new MemoryNotFound();
    });
    return this.around(tenant, workspace, [id], options);
  }

  /**
   * The nearest relations of each of several memories. Degraded: the graph does not answer or is being built again, and
   * the map is empty; or it is behind, and tells what it has.
   */
  async aroundEach(
    tenant: Tenant,
    workspace: WorkspaceId,
    ids: string[],
    { each, minStrength }: { each: number; minStrength: number },
  ): Promise<{ byStart: Map<string, RelatedMemory[]>; degraded: boolean }> {
    const byStart = new Map<string, RelatedMemory[]>();
    try {
      const behind = (await this.spaces.open(tenant).ready('graph')) === 'behind';
      for (const id of ids) {
        byStart.set(id, await this.reached(tenant, workspace, [id], { minStrength, depth: 1, limit: each }));
      }
      return { byStart, degraded: behind };
    } catch (error) {
      if (!isOutage(error) && !(error instanceof SpaceWaking)) throw error;
      return { byStart: new Map(), degraded: true };
    }
  }

  /** The same for several at once; a start that is not there is passed over. */
  async around(
    tenant: Tenant,
    workspace: WorkspaceId,
    from: string[],
    options: { types?: string[]; minStrength?: number; depth: number; limit: number },
  ): Promise<RelatedMemory[]> {
    await this.spaces.open(tenant).ready('graph');
    return this.reached(tenant, workspace, from, options);
  }

  private async reached(
    tenant: Tenant,
    workspace: WorkspaceId,
    from: string[],
    options: { types?: string[]; minStrength?: number; depth: number; limit: number },
  ): Promise<RelatedMemory[]> {
    const reached = await this.spaces.open(tenant).graph.related({ workspace, from, ...options });
    if (reached.length === 0) return [];
    return this.ledger.read(tenant, workspace, async (tx) => {
      const rows = await tx.rows<MemoryRow>(
        `SELECT ${MEMORY_COLUMNS} FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[])`,
        [tenant.id, workspace, reached.map((related) => related.id).filter(isUuid)],
      );
      const memories = new Map(rows.map((row) => [row.id, memoryOf(tenant, row)]));
      const missing = reached.flatMap((related) => (memories.has(related.id) ? [] : related.id));
      await this.gate.examine(tx, workspace, missing);
      return reached.flatMap((related) => {
        const memory = memories.get(related.id);
        return memory === undefined ? [] : [{ ...related, memory }];
      });
    });
  }
}

function edgeName({ from, to, type }: RelationDraft): string {
  return `${from}/${type}/${to}`;
}

/** All that were asked for, as they hold now: those that were written, and those that were there just so. */
const UPSERT = `
WITH wanted AS (
  SELECT * FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::real[]) AS w (id, from_id, to_id, type, strength)
), written AS (
  INSERT INTO relations (tenant_id, workspace_id, id, from_id, to_id, type, strength)
  SELECT $1, $2, * FROM wanted
  ON CONFLICT (tenant_id, workspace_id, from_id, to_id, type) DO UPDATE SET strength = excluded.strength, updated_at = now()
    WHERE relations.strength <> excluded.strength
  RETURNING id, from_id, to_id, type
)
SELECT id, from_id, to_id, type, true AS changed FROM written
UNION ALL
SELECT r.id, r.from_id, r.to_id, r.type, false
FROM wanted w JOIN relations r USING (from_id, to_id, type)
WHERE r.tenant_id = $1 AND r.workspace_id = $2 AND NOT EXISTS (SELECT FROM written WHERE written.id = r.id)`;
