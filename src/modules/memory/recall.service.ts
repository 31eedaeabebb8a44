import { Injectable } from '@nestjs/common';
import { DateTime } from 'luxon';
import { Ledger } from '../../ledger/ledger.js';
import { Settings } from '../../platform/config/settings.js';
import type { Candidate } from '../../spaces/vector-space.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { MemoryAccess } from './memory-access.service.js';
import { namedTimes } from './named-times.js';
import { isRanked, tagsIn, type Question } from './question.js';
import { noParts, type Asked } from './ranking-parts.js';
import { rankingWeights, tenantWeights, weightsFor } from './ranking-weights.js';
import {
  DEFAULT_WEIGHTS,
  fuseQuestions,
  rankRecall,
  type Ranked,
  type RankingWeights,
} from './recall-ranking.js';
import { RecallReading, type RecalledMemory, type Superseded } from './recall-reading.service.js';
import { RecallSearch, type Degraded, type Proposal } from './recall-search.service.js';

export interface Recalled {
  memories: RecalledMemory[];
  /** What each part of a score weighed. */
  weights: RankingWeights;
  /** How much relations count, of what they do by default: 0..1. */
  relations: number;
  degraded: Degraded[];
  /** What was found and gave its place to what holds now, as far as was looked. */
  superseded: Superseded[];
}

/** Recall: the space proposes ids with scores, ranking orders them, and only what is returned is read and opened. */
@Injectable()
export class RecallService {
  private readonly weights: RankingWeights;

  constructor(
    private readonly ledger: Ledger,
    private readonly search: RecallSearch,
    private readonly reading: RecallReading,
    private readonly access: MemoryAccess,
    settings: Settings,
  ) {
    this.weights = rankingWeights(settings.recallWeights);
  }

  async recall(tenant: Tenant, workspace: WorkspaceId, question: Question): Promise<Recalled> {
    const recalled = await (fillsUp(question)
      ? this.filledUp(tenant, workspace, question)
      : this.answer(tenant, workspace, question));
    this.access.note(
      tenant,
      workspace,
      recalled.memories.map(({ id }) => id),
    );
    return recalled;
  }

  /** Where the tags leave fewer than asked for, the same question without them comes after. */
  private async filledUp(tenant: Tenant, workspace: WorkspaceId, question: Question): Promise<Recalled> {
    const { offset, limit } = question;
    const whole = { ...question, offset: 0, limit: offset + limit };
    const within = await this.answer(tenant, workspace, whole);
    if (within.memories.length >= whole.limit) return page(within, question);
    const { tags: _scope, ...filter } = question.filter;
    // What the caller named is within or nowhere: it is held to the tags.
    const everywhere = await this.answer(tenant, workspace, { ...whole, filter, pinned: [] });
    const known = new Set(within.memories.map(({ id }) => id));
    const outside = everywhere.memories
      .filter(({ id }) => !known.has(id))
      .map((one) => ({ ...one, outside: true as const }));
    const superseded = new Map([...everywhere.superseded, ...within.superseded].map((one) => [one.id, one]));
    const recalled = {
      memories: [...within.memories, ...outside],
      weights: within.weights,
      relations: within.relations,
      degraded: [...new Set([...within.degraded, ...everywhere.degraded])],
      superseded: [...superseded.values()],
    };
    return page(recalled, question);
  }

  private async answer(tenant: Tenant, workspace: WorkspaceId, question: Question): Promise<Recalled> {
    const { proposals, entities, degraded } = await this.search.propose(tenant, workspace, question);
    const weights = weightsFor(question, tenantWeights(this.weights, tenant.settings));
    const ranked = rank(question, proposals, new Set(entities), weights);
    const relations = Math.min(1, weights.relation / DEFAULT_WEIGHTS.relation);
    if (ranked.length === 0 && question.pinned.length === 0) {
      return { memories: [], weights, relations, degraded: [...degraded], superseded: [] };
    }
    const { memories, superseded } = await this.ledger.read(tenant, workspace, (tx) =>
      this.reading.read(tx, workspace, ranked, question, weights),
    );
    const inOrder = inTime(memories, question.sort);
    return { memories: inOrder, weights, relations, degraded: [...degraded], superseded };
  }
}

function fillsUp({ beyondTags, filter }: Question): boolean {
  return beyondTags && filter.tags !== undefined && filter.tags.values.length > 0;
}

function page(recalled: Recalled, { offset, limit }: Question): Recalled {
  return { ...recalled, memories: recalled.memories.slice(offset, offset + limit) };
}

function rank(
  question: Question,
  proposals: Proposal[],
  entities: ReadonlySet<string>,
  weights: RankingWeights,
): Ranked[] {
  const { queries, context } = question;
  if (!isRanked(question)) return proposals.flatMap(({ candidates }) => inProposedOrder(candidates));
  const now = Date.now();
  const rankings = proposals.map(({ words, wanted, candidates, related }, at) => {
    const wording = queries[at] ?? '';
    const asked: Asked = {
      terms: new Set(words.flatMap((word) => word.slice(0, 1))),
      tags: new Set(tagsIn(wording)),
      context: new Set(context.tags),
      entities,
      times: namedTimes(wording, DateTime.fromMillis(now, { zone: question.zone })),
      ...{ wanted, related, now },
    };
    return rankRecall(candidates, asked, weights);
  });
  return fuseQuestions(rankings.map((ranked) => ranked.slice(0, question.eachLimit)));
}

/** Where nothing was asked in words, the space's order (newest first) is the answer's. */
function inProposedOrder(candidates: Candidate[]): Ranked[] {
  const parts = noParts();
  return candidates.map(({ id }) => ({ id, score: 0, parts }));
}

function inTime(memories: RecalledMemory[], sort: Question['sort']): RecalledMemory[] {
  if (sort === 'score') return memories;
  const direction = sort === 'newest' || sort === 'updated last' ? -1 : 1;
  const time = ({ memory }: RecalledMemory) =>
    (sort === 'newest' || sort === 'oldest' ? memory.timestamp : memory.updatedAt).getTime();
  return memories.sort((a, b) => direction * (time(a) - time(b)));
}
