import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { Ledger, type LedgerRead } from '../../ledger/ledger.js';
import { openVector } from '../../ledger/sealed-memory.js';
import { mapInTurns } from '../../platform/in-turns.js';
import type { Path } from '../../spaces/graph-space.js';
import { isOutage } from '../../spaces/space-errors.js';
import { Spaces } from '../../spaces/spaces.js';
import type { Tenant } from '../../tenancy/principal.js';
import { isUuid, type WorkspaceId } from '../../tenancy/tenant.js';
import { CandidateGate } from './candidate-gate.service.js';
import { countGraph, type GraphCounts } from './graph-counts.js';
import { memoryOf, MEMORY_COLUMNS, type MemoryRow, readMemories } from './memory-rows.js';
import { MemoryNotFound } from './memory.errors.js';
import type { Memory } from './memory.js';
import { entitiesNamedIn, TOO_COMMON, type NamedEntity } from './named-entities.js';
import {
  readRelations,
  relationOf,
  RELATION_COLUMNS,
  type Relation,
  type RelationRow,
} from './relation-rows.js';

/** Edges of one drawing. */
const MOST_EDGES = 10_000;
/** Entities of one drawing. */
const MOST_ENTITIES = 1_000;
/** Relations that are looked at for a path: a memory with 10,000 of them is passed, in some tenths of a second. */
const MOST_ON_THE_WAY = 20_000;

export interface SnapshotWish {
  limit: number;
  minImportance: number;
  types: string[] | null;
  since: Date | null;
  /** With whom and what they name. */
  entities: boolean;
}

export interface NeighborsWish {
  depth: number;
  limit: number;
  types?: string[];
  minStrength: number;
  /** How many that say nearly the same; 0: none. */
  semantic: number;
  /** With whom and what they name, and those that name what it names. */
  entities: boolean;
}

export interface PathWish {
  from: string;
  to: string;
  types?: string[];
  minStrength: number;
  depth: number;
}

/** Pictures of a workspace's memories and how they hang together. What is shown comes from the ledger. */
@Injectable()
export class GraphService {
  constructor(
    private readonly ledger: Ledger,
    private readonly spaces: Spaces,
    private readonly gate: CandidateGate,
  ) {}

  /** The most important memories, the latest first among equals, and the relations between them. */
  async snapshot(
    tenant: Tenant,
    workspace: WorkspaceId,
    { limit, minImportance, types, since, entities }: SnapshotWish,
  ): Promise<{
    memories: Memory[];
    relations: Relation[];
    totals: { memories: number; relations: number };
    entities: NamedEntity[];
  }> {
    return this.ledger.read(tenant, workspace, async (tx) => {
      const [rows, [totals]] = await Promise.all([
        tx.rows<MemoryRow>(SNAPSHOT, [tenant.id, workspace, minImportance, types, since, limit]),
        tx.rows<QueryResultRow & { memories: string; relations: string }>(TOTALS, [tenant.id, workspace]),
      ]);
      const memories = await mapInTurns(rows, (row) => memoryOf(tenant, row));
      const ids = rows.map(({ id }) => id);
      const relations = await this.between(tx, workspace, ids);
      return {
        memories,
        relations,
        entities: entities ? await entitiesNamedIn(tx, workspace, ids, MOST_ENTITIES) : [],
        totals: { memories: Number(totals?.memories ?? 0), relations: Number(totals?.relations ?? 0) },
      };
    });
  }

  /** Throws `MemoryNotFound`. Degraded: the vectors do not answer. */
  async neighbors(
    tenant: Tenant,
    workspace: WorkspaceId,
    id: string,
    { semantic, entities, ...walk }: NeighborsWish,
  ): Promise<{
    center: Memory;
    around: Memory[];
    alike: { memory: Memory; similarity: number }[];
    sharing: Memory[];
    entities: NamedEntity[];
    relations: Relation[];
    degraded: boolean;
  }> {
    const [row] = await this.ledger.readRows<MemoryRow & { vector: Buffer | null }>(
      tenant,
      workspace,
      CENTER,
      [tenant.id, workspace, id, tenant.embeddingModel],
    );
    if (row === undefined) throw new MemoryNotFound();
    const vector = row.vector === null ? null : openVector(tenant.key, workspace, id, 'alone', row.vector);
    const space = this.spaces.open(tenant);
    await space.ready('graph');
    const sharers = { workspace, of: [id], each: walk.limit, most: TOO_COMMON };
    const [reached, near, naming] = await Promise.all([
      space.graph.related({ workspace, from: [id], ...walk }),
      this.nearest(tenant, workspace, semantic === 0 ? null : vector, semantic + 1),
      entities ? space.graph.sharersOf(sharers) : [],
    ]);
    const aroundIds = reached.map((one) => one.id);
    const alikeIds = [...near.scores.keys()].filter((one) => one !== id && !aroundIds.includes(one));
    const sharingIds = naming.map(({ far }) => far);
    return this.ledger.read(tenant, workspace, async (tx) => {
      const ids = [...new Set([...aroundIds, ...alikeIds.slice(0, semantic), ...sharingIds])];
      const memories = await readMemories(tx, workspace, ids.filter(isUuid));
      await this.gate.examine(
        tx,
        workspace,
        ids.filter((one) => !memories.has(one)),
      );
      const there = (wanted: string[]): Memory[] => wanted.flatMap((one) => memories.get(one) ?? []);
      return {
        center: memoryOf(tenant, row),
        around: there(aroundIds),
        alike: there(alikeIds).map((memory) => ({ memory, similarity: near.scores.get(memory.id) ?? 0 })),
        sharing: there(sharingIds),
        entities: entities
          ? await entitiesNamedIn(tx, workspace, [id, ...memories.keys()], MOST_ENTITIES)
          : [],
        relations: await this.between(tx, workspace, [id, ...memories.keys()]),
        degraded: near.degraded,
      };
    });
  }

  /** The shortest way, as the ledger has it now. Throws `MemoryNotFound` where one of the two is not there. */
  async path(
    tenant: Tenant,
    workspace: WorkspaceId,
    { from, to, ...walk }: PathWish,
  ): Promise<{ memories: Memory[]; relations: Relation[]; complete: boolean } | { complete: boolean }> {
    const ends = await this.ledger.readRows(tenant, workspace, ENDS, [tenant.id, workspace, [from, to]]);
    if (ends.length < new Set([from, to]).size) throw new MemoryNotFound();
    const space = this.spaces.open(tenant);
    await space.ready('graph');
    const { links, complete } = await space.graph.path({
      workspace,
      from,
      to,
      ...walk,
      most: MOST_ON_THE_WAY,
    });
    if (links === null) return { complete };
    const steps = stepsFrom(from, links);
    return this.ledger.read(tenant, workspace, async (tx) => {
      const [memories, relations] = await Promise.all([
        readMemories(tx, workspace, steps.filter(isUuid)),
        readRelations(
          tx,
          workspace,
          links.map(({ id }) => id),
        ),
      ]);
      // What the graph has not heard of yet: there is no such way any more.
      if (memories.size < steps.length || relations.size < links.length) return { complete: false };
      return {
        memories: steps.flatMap((id) => memories.get(id) ?? []),
        relations: links.flatMap(({ id }) => relations.get(id) ?? []),
        complete,
      };
    });
  }

  counts(tenant: Tenant, workspace: WorkspaceId): Promise<GraphCounts> {
    return this.ledger.read(tenant, workspace, (tx) => countGraph(tx, workspace));
  }

  private async between(tx: LedgerRead, workspace: WorkspaceId, ids: string[]): Promise<Relation[]> {
    const rows = await tx.rows<RelationRow>(BETWEEN, [tx.tenant.id, workspace, ids, MOST_EDGES]);
    return mapInTurns(rows, (row) => relationOf(tx.tenant, workspace, row));
  }

  /** Memories by the cosine of their vector with this one. */
  private async nearest(
    tenant: Tenant,
    workspace: WorkspaceId,
    vector: Float32Array | null,
    limit: number,
  ): Promise<{ scores: Map<string, number>; degraded: boolean }> {
    if (vector === null) return { scores: new Map(), degraded: false };
    try {
      const { vectors } = this.spaces.open(tenant);
      const found = await vectors.search({ workspace, vector, terms: [], marks: [], filter: {}, limit });
      const scored = found.flatMap(({ id, vector: { alone } }) => (alone === null ? [] : [{ id, alone }]));
      scored.sort((a, b) => b.alone - a.alone || (a.id < b.id ? -1 : 1));
      return { scores: new Map(scored.map(({ id, alone }) => [id, alone])), degraded: false };
    } catch (error) {
      if (!isOutage(error)) throw error;
      return { scores: new Map(), degraded: true };
    }
  }
}

/** The memories on the way, from the first to the last. */
function stepsFrom(start: string, links: NonNullable<Path['links']>): string[] {
  const steps = [start];
  for (const { from, to } of links) steps.push(steps.at(-1) === from ? to : from);
  return steps;
}

const SNAPSHOT = `
SELECT ${MEMORY_COLUMNS} FROM memories
WHERE tenant_id = $1 AND workspace_id = $2 AND importance >= $3::real
  AND ($4::text[] IS NULL OR type = ANY($4)) AND ($5::timestamptz IS NULL OR timestamp >= $5)
ORDER BY importance DESC, timestamp DESC, id LIMIT $6`;

const TOTALS = `
SELECT (SELECT count(*) FROM memories WHERE tenant_id = $1 AND workspace_id = $2) AS memories,
  (SELECT count(*) FROM relations WHERE tenant_id = $1 AND workspace_id = $2) AS relations`;

const CENTER = `
SELECT m.*, e.vector FROM (SELECT ${MEMORY_COLUMNS}, alone_hash FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = $3) m
LEFT JOIN embeddings e ON e.tenant_id = $1 AND e.workspace_id = $2 AND e.memory_id = m.id AND e.part = 'alone'
  AND e.model = $4 AND e.hash = m.alone_hash`;

const ENDS = `SELECT FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[])`;

const BETWEEN = `
SELECT ${RELATION_COLUMNS} FROM relations
WHERE tenant_id = $1 AND workspace_id = $2 AND from_id = ANY($3::uuid[]) AND to_id = ANY($3::uuid[])
ORDER BY strength DESC, id LIMIT $4`;
