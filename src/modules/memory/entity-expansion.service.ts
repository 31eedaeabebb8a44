import { Injectable } from '@nestjs/common';
import { Ledger, type LedgerRead } from '../../ledger/ledger.js';
import type { Sharer } from '../../spaces/graph-space.js';
import { Spaces } from '../../spaces/spaces.js';
import type { Tenant } from '../../tenancy/principal.js';
import { isUuid, type WorkspaceId } from '../../tenancy/tenant.js';
import { askGraph } from './asked-graph.js';
import { CandidateGate } from './candidate-gate.service.js';
import { filterOf } from './memory-filter.js';
import { readMemories } from './memory-rows.js';
import type { Memory } from './memory.js';
import { entitiesNamedIn, TOO_COMMON, type NamedEntity } from './named-entities.js';
import { isRanked, type Question } from './question.js';
import type { Expansion } from './recall-expansion.service.js';
import { supersessionsOf, type Supersession } from './superseded-memories.js';

/** Of so many of the best the entities are followed. */
const SEEDS = 20;
/** So many are read at once after the first few: a filter may pass over thousands, and each read is a round trip. */
const READ_AT_ONCE = 200;
/** Of these memories together, the most named. */
const MOST_ENTITIES = 200;

/** A memory that names what a result names. */
export interface SharingMemory {
  id: string;
  /** Of the result that leads here, the less the more memories name what both do. 0 where nothing was asked in words. */
  score: number;
  memory: Memory;
  /** The entity that the fewest name, and the results that share it with this one, the best first. */
  entity: string;
  from: string[];
}

/** What recall brings along by entities: from memory to entity to memory in one query of the graph. */
@Injectable()
export class EntityExpansion {
  constructor(
    private readonly ledger: Ledger,
    private readonly spaces: Spaces,
    private readonly gate: CandidateGate,
  ) {}

  /**
   * The best `limit` of those that pass the question's filter, its tags only where these are to be respected, with the
   * names of the entities that the results name. Degraded: as with relations, the graph does not answer, or is behind.
   */
  async expand(
    tenant: Tenant,
    workspace: WorkspaceId,
    {
      question,
      results,
      expansion,
    }: { question: Question; results: readonly { id: string; score: number }[]; expansion: Expansion },
  ): Promise<{ memories: SharingMemory[]; entities: string[]; degraded: boolean }> {
    const seeds = results.slice(0, SEEDS);
    if (seeds.length === 0) return { memories: [], entities: [], degraded: false };
    const of = seeds.map(({ id }) => id);
    // Results share entities with each other, too.
    const each = expansion.limit + results.length;
    const { found: sharers, degraded } = await askGraph(this.spaces.open(tenant), (graph) =>
      graph.sharersOf({ workspace, of, each, most: TOO_COMMON }),
    );
    const known = new Set(results.map(({ id }) => id));
    const found = byWorth(
      sharers.filter(({ far }) => !known.has(far)),
      new Map(seeds.map(({ id, score }) => [id, score])),
    );
    return this.ledger.read(tenant, workspace, async (tx) => {
      const named = await entitiesNamedIn(tx, workspace, of, MOST_ENTITIES);
      const passing = await this.passing(tx, workspace, question, expansion, found);
      const ranked = isRanked(question);
      return {
        memories: passing.flatMap(({ worth, ...one }) => said(one, named, ranked ? worth : 0)),
        entities: named.map(({ name }) => name),
        degraded,
      };
    });
  }

  /** As many as may be brought along: read a few at a time, as nearly always the first will do. */
  private async passing(
    tx: LedgerRead,
    workspace: WorkspaceId,
    { filter, minScore }: Question,
    { limit, minImportance, respectTags }: Expansion,
    found: Found[],
  ): Promise<(Found & { memory: Memory })[]> {
    const { tags, ...rest } = filter;
    const wanted = respectTags && tags !== undefined ? { ...rest, tags } : rest;
    const chosen: (Found & { memory: Memory })[] = [];
    const good = found.filter(({ worth }) => worth >= minScore);
    for (let next = 0; next < good.length && chosen.length < limit;) {
      const some = good.slice(next, next + (next === 0 ? limit : Math.max(limit, READ_AT_ONCE)));
      next += some.length;
      const ids = some.map(({ id }) => id).filter(isUuid);
      const [memories, superseded] = await Promise.all([
        readMemories(tx, workspace, ids),
        filter.validAt === undefined ? new Map<string, Supersession>() : supersessionsOf(tx, workspace, ids),
      ]);
      await this.gate.examine(
        tx,
        workspace,
        some.map(({ id }) => id).filter((id) => !memories.has(id)),
      );
      const passes = await filterOf(tx, workspace, wanted, memories);
      for (const one of some) {
        const memory = memories.get(one.id);
        if (memory === undefined || superseded.has(one.id) || !passes(memory)) continue;
        if (Math.fround(memory.importance) >= minImportance) chosen.push({ ...one, memory });
      }
    }
    return chosen.slice(0, limit);
  }
}

interface Found {
  id: string;
  /** By the best way there. */
  worth: number;
  by: Sharer[];
}

/** Those that the best results lead to by what the fewest memories name come first, ties by id. */
function byWorth(sharers: readonly Sharer[], scores: ReadonlyMap<string, number>): Found[] {
  const found = new Map<string, Found>();
  for (const sharer of sharers) {
    // Where nothing was asked in words no result has a score.
    const worth = (scores.get(sharer.of) || 1) / Math.log2(sharer.mentions);
    const known = found.get(sharer.far) ?? { id: sharer.far, worth: 0, by: [] };
    found.set(sharer.far, { ...known, worth: Math.max(known.worth, worth), by: [...known.by, sharer] });
  }
  return [...found.values()].sort((a, b) => b.worth - a.worth || (a.id < b.id ? -1 : 1));
}

/** What the ledger names no longer was not shared: the graph is about to hear of it. */
function said(
  { id, memory, by }: Omit<Found, 'worth'> & { memory: Memory },
  named: readonly NamedEntity[],
  score: number,
): SharingMemory[] {
  const [rarest] = [...by].sort((a, b) => a.mentions - b.mentions);
  const entity = named.find(({ key }) => key === rarest?.entity);
  if (entity === undefined) return [];
  const from = by.flatMap((sharer) => (sharer.entity === entity.key ? [sharer.of] : []));
  return [{ id, score, memory, entity: entity.name, from }];
}
