import { Injectable } from '@nestjs/common';
import { Ledger, type LedgerRead } from '../../ledger/ledger.js';
import type { LinkOf } from '../../spaces/graph-space.js';
import { Spaces } from '../../spaces/spaces.js';
import type { Filter } from '../../spaces/vector-space.js';
import type { Tenant } from '../../tenancy/principal.js';
import { isUuid, type WorkspaceId } from '../../tenancy/tenant.js';
import { askGraph } from './asked-graph.js';
import { CandidateGate } from './candidate-gate.service.js';
import { filterOf } from './memory-filter.js';
import { memoryOf, type MemoryRow, PREFIXED_MEMORY_COLUMNS } from './memory-rows.js';
import type { Memory } from './memory.js';
import { isRanked, type Question } from './question.js';
import { noParts } from './ranking-parts.js';
import { bridgesBetween } from './recall-bridges.js';
import type { RecalledMemory } from './recall-reading.service.js';
import type { Recalled } from './recall.service.js';
import { readRelations, type Relation } from './relation-rows.js';

export interface Expansion {
  /** Relations of each result. */
  each: number;
  /** Memories that are brought along, over all results. */
  limit: number;
  /** 0..1: weaker relations, and less important memories, are passed over. */
  minStrength: number;
  minImportance: number;
  /** What is brought along must have the question's tags, too. */
  respectTags: boolean;
}

/** A relation of a result, and the memory at its other end. */
export interface Expanded {
  relation: Relation;
  memory: Memory;
}

export interface ExpandedMemory extends RecalledMemory {
  relations: Expanded[];
  /** Set where it is here, or ranks as it does, because it connects two results: the score that this gives it. */
  bridge: number | null;
}

/** What recall brings along from the graph: in one query of it, and one read of the ledger. */
@Injectable()
export class RecallExpansion {
  constructor(
    private readonly ledger: Ledger,
    private readonly spaces: Spaces,
    private readonly gate: CandidateGate,
  ) {}

  /**
   * The results with their relations, and the bridges between them where the question has words. Degraded: the graph does
   * not answer or is being built again, and no result has any; or it is behind, and tells what it has.
   */
  async expand(
    tenant: Tenant,
    workspace: WorkspaceId,
    { question, recalled, expansion }: { question: Question; recalled: Recalled; expansion: Expansion },
  ): Promise<{ results: ExpandedMemory[]; degraded: boolean }> {
    const { memories: results } = recalled;
    if (results.length === 0) return { results: [], degraded: false };
    const { each, minStrength } = expansion;
    const of = results.map(({ id }) => id);
    const { found: links, degraded } = await askGraph(this.spaces.open(tenant), (graph) =>
      graph.linksOf({ workspace, of, each, minStrength }),
    );
    if (links.length === 0) return { results: results.map(unrelated), degraded };
    const scores = new Map(results.map(({ id, score }) => [id, score]));
    const bridges = isRanked(question)
      ? bridgesBetween(scores, links, recalled.relations)
      : new Map<string, number>();
    const { memories, relations, passing } = await this.ledger.read(tenant, workspace, async (tx) => {
      const strangers = byWorth(links, scores).filter((id) => !scores.has(id));
      const { filter } = question;
      // Sent together: relations that lead to none of the memories in the end are few.
      const [found, relations] = await Promise.all([
        this.strangers(tx, workspace, strangers, expansion),
        readRelations(tx, workspace, [...new Set(links.map(({ relation }) => relation.id))]),
      ]);
      const tagged = filter.tags === undefined ? {} : { tags: filter.tags };
      const memories = expansion.respectTags ? await passingOf(tx, workspace, tagged, found) : found;
      const bridging = new Map([...memories].filter(([id]) => bridges.has(id)));
      return { memories, relations, passing: await passingOf(tx, workspace, filter, bridging) };
    });
    if (question.filter.validAt !== undefined) {
      for (const [id, { archivedAt }] of memories) if (archivedAt !== null) memories.delete(id);
    }
    for (const { id, memory } of results) memories.set(id, memory);
    const ranked = withBridges(question, results, bridges, passing);
    return {
      results: ranked.map((one) => ({ ...one, relations: relationsOf(one.id, links, relations, memories) })),
      degraded,
    };
  }

  /** The first of these that are there and important enough, as many as may be brought along. */
  private async strangers(
    tx: LedgerRead,
    workspace: WorkspaceId,
    ids: string[],
    { limit, minImportance }: Expansion,
  ): Promise<Map<string, Memory>> {
    if (ids.length === 0) return new Map();
    const rows = await tx.rows<MemoryRow>(STRANGERS, [
      tx.tenant.id,
      workspace,
      ids.filter(isUuid),
      minImportance,
      limit,
    ]);
    const memories = new Map(rows.map((row) => [row.id, memoryOf(tx.tenant, row)]));
    // Whoever is passed over for its importance, or comes after the last, is not missing.
    const last = rows.at(-1)?.id;
    const looked = rows.length < limit || last === undefined ? ids : ids.slice(0, ids.indexOf(last));
    if (minImportance === 0) {
      await this.gate.examine(
        tx,
        workspace,
        looked.filter((id) => !memories.has(id)),
      );
    }
    return memories;
  }
}

/** Who is on the other side, the worthiest first: by the scores of the results that lead there, and how strongly. */
function byWorth(links: readonly LinkOf[], scores: ReadonlyMap<string, number>): string[] {
  const worths = new Map<string, number>();
  for (const { of, far, relation } of links) {
    // Where nothing was asked in words no result has a score.
    const worth = (scores.get(of) || 1) * relation.strength;
    worths.set(far, (worths.get(far) ?? 0) + worth);
  }
  return [...worths].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([id]) => id);
}

async function passingOf(
  tx: LedgerRead,
  workspace: WorkspaceId,
  filter: Filter,
  memories: ReadonlyMap<string, Memory>,
): Promise<Map<string, Memory>> {
  const passes = await filterOf(tx, workspace, filter, memories);
  return new Map([...memories].filter(([, memory]) => passes(memory)));
}

/** A bridge that the filter lets through takes its place among the results; what no longer has one goes. */
function withBridges(
  { limit, minScore, sort }: Question,
  results: readonly RecalledMemory[],
  bridges: ReadonlyMap<string, number>,
  /** Of the bridges that are no results themselves. */
  passing: ReadonlyMap<string, Memory>,
): Omit<ExpandedMemory, 'relations'>[] {
  const all: Omit<ExpandedMemory, 'relations'>[] = results.map((result) => {
    const bridge = bridges.get(result.id) ?? null;
    return { ...result, score: bridge ?? result.score, bridge };
  });
  for (const [id, memory] of passing) {
    const bridge = bridges.get(id) ?? 0;
    if (bridge < minScore) continue;
    all.push({ id, score: bridge, parts: noParts(), memory, replaces: [], bridge });
  }
  if (all.every(({ bridge }) => bridge === null)) return all;
  const best = all
    .sort((a, b) => groupOf(a) - groupOf(b) || b.score - a.score || (a.id < b.id ? -1 : 1))
    .slice(0, limit);
  if (sort === 'score') return best;
  const direction = sort === 'newest' ? -1 : 1;
  return best.sort((a, b) => direction * (a.memory.timestamp.getTime() - b.memory.timestamp.getTime()));
}

/** What the caller named comes first, and last what only fills up. */
function groupOf({ pinned, outside }: RecalledMemory): number {
  return pinned === true ? 0 : outside === true ? 2 : 1;
}

/** As the ledger has them now, whatever the graph said. A bridge's are those that lead to it. */
function relationsOf(
  id: string,
  links: readonly LinkOf[],
  relations: ReadonlyMap<string, Relation>,
  memories: ReadonlyMap<string, Memory>,
): Expanded[] {
  const own = links.filter(({ of }) => of === id);
  const leading =
    own.length > 0 ? own : links.filter(({ far }) => far === id).map((link) => ({ ...link, far: link.of }));
  return leading.flatMap(({ far, relation: { id: relationId } }) => {
    const [relation, memory] = [relations.get(relationId), memories.get(far)];
    return relation === undefined || memory === undefined ? [] : [{ relation, memory }];
  });
}

function unrelated(result: RecalledMemory): ExpandedMemory {
  return { ...result, relations: [], bridge: null };
}

const STRANGERS = `
SELECT ${PREFIXED_MEMORY_COLUMNS} FROM unnest($3::uuid[]) WITH ORDINALITY AS w (id, place)
JOIN memories m ON m.tenant_id = $1 AND m.workspace_id = $2 AND m.id = w.id
WHERE m.importance >= $4::real
ORDER BY w.place LIMIT $5`;
