import { Injectable } from '@nestjs/common';
import type { Cause } from '../../ledger/cause.js';
import { Ledger } from '../../ledger/ledger.js';
import { Spaces } from '../../spaces/spaces.js';
import type { Tenant } from '../../tenancy/principal.js';
import { isUuid, type WorkspaceId } from '../../tenancy/tenant.js';
import { CandidateGate } from './candidate-gate.service.js';
import { memoryOf, MEMORY_COLUMNS, type MemoryRow } from './memory-rows.js';
import { MemoryNotFound } from './memory.errors.js';
import type { Memory } from './memory.js';
import {
  readRelations,
  relateMemories,
  type RelateOutcome,
  type Relation,
  type RelationDraft,
} from './relation-rows.js';

export interface Associated {
  outcomes: RelateOutcome[];
  indexed: boolean;
}

/** A memory that was reached, by the last relation on its way: never one of the starts. */
export interface RelatedMemory {
  memory: Memory;
  depth: number;
  /** The start from which it was reached first. */
  start: string;
  relation: Relation;
}

@Injectable()
export class RelationsService {
  constructor(
    private readonly ledger: Ledger,
    private readonly spaces: Spaces,
    private readonly gate: CandidateGate,
  ) {}

  /** Relates memories of one workspace, all in one transaction, as `relateMemories` says. */
  async associate(
    tenant: Tenant,
    workspace: WorkspaceId,
    drafts: RelationDraft[],
    cause: Cause,
  ): Promise<Associated> {
    const space = this.spaces.open(tenant);
    await space.meet();
    const { result } = await this.ledger.write(tenant, workspace, cause, async (tx) => {
      const { outcomes, written } = await relateMemories(tx, workspace, drafts);
      tx.record(
        'relation.create',
        workspace,
        written.map(({ id }) => id),
        { after: { relations: written.map(({ id: _, ...relation }) => relation) } },
      );
      if (written.length > 0) tx.meter(workspace, 'relations_stored', written.length);
      return { outcomes, indexed: false };
    });
    return { ...result, indexed: await space.indexed() };
  }

  /** The memories around one, nearest first. Throws `MemoryNotFound`. */
  async related(
    tenant: Tenant,
    workspace: WorkspaceId,
    id: string,
    options: { types?: string[]; minStrength: number; depth: number; limit: number },
  ): Promise<RelatedMemory[]> {
    await this.ledger.read(tenant, workspace, async (tx) => {
      const rows = await tx.rows(
        `SELECT FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = $3`,
        [tenant.id, workspace, id],
      );
      if (rows.length === 0) throw new MemoryNotFound();
    });
    await this.spaces.open(tenant).ready('graph');
    return this.reached(tenant, workspace, [id], options);
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
      const [rows, relations] = await Promise.all([
        tx.rows<MemoryRow>(
          `SELECT ${MEMORY_COLUMNS} FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[])`,
          [tenant.id, workspace, reached.map((related) => related.id).filter(isUuid)],
        ),
        readRelations(
          tx,
          workspace,
          reached.map((related) => related.relation.id),
        ),
      ]);
      const memories = new Map(rows.map((row) => [row.id, memoryOf(tenant, row)]));
      const missing = reached.flatMap((related) => (memories.has(related.id) ? [] : related.id));
      await this.gate.examine(tx, workspace, missing);
      return reached.flatMap(({ id, depth, start, relation: { id: relationId } }) => {
        const [memory, relation] = [memories.get(id), relations.get(relationId)];
        return memory === undefined || relation === undefined ? [] : [{ memory, depth, start, relation }];
      });
    });
  }
}
