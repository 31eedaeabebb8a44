import { Injectable, Logger } from '@nestjs/common';
import { Ledger, type LedgerRead } from '../../ledger/ledger.js';
import { Settings } from '../../platform/config/settings.js';
import { withoutSpeakers } from '../../spaces/speech.js';
import { termsOf } from '../../spaces/terms.js';
import { Spaces } from '../../spaces/spaces.js';
import type { Candidate } from '../../spaces/vector-space.js';
import type { Tenant } from '../../tenancy/principal.js';
import { isUuid, type WorkspaceId } from '../../tenancy/tenant.js';
import { CandidateGate } from './candidate-gate.service.js';
import { LedgerCandidates } from './ledger-candidates.js';
import { MemoryAccess } from './memory-access.service.js';
import { filterOf } from './memory-filter.js';
import { relevanceOf } from './memory-relevance.js';
import { readMemories, readSealed } from './memory-rows.js';
import type { Memory } from './memory.js';
import { QuestionVectors } from './question-vectors.js';
import { holdsOneOf, isRanked, phrasesIn, tagsIn, type Question } from './question.js';
import { noParts, type Asked } from './ranking-parts.js';
import { rankingWeights, tenantWeights, weightsFor } from './ranking-weights.js';
import {
  DEFAULT_WEIGHTS,
  fuseQuestions,
  rankRecall,
  rankSettled,
  type Ranked,
  type RankingWeights,
} from './recall-ranking.js';
import { Speakers } from './speakers.js';
import { headsOf } from './superseded-memories.js';

/** How many candidates a space proposes for each wording. */
const CANDIDATES = 200;
/** What only the ledger tells may lift a memory by so many places: these are opened besides. A phrase lifts it more. */
const LOOKED_BEYOND = { usually: 5, forPhrases: 20 };
/** As many as a space looks for. */
const MOST_MARKS = 32;

/** What could not take part: the answer is what is left. */
export type Degraded = 'vectors' | 'graph' | 'models';

export interface RecalledMemory extends Ranked {
  memory: Memory;
  /** What it holds in place of now, though the question found that. */
  replaces: string[];
}

export interface Recalled {
  memories: RecalledMemory[];
  /** How much relations count, of what they do by default: 0..1. */
  relations: number;
  degraded: Degraded[];
}

/** Recall: the space proposes ids with scores, ranking orders them, and only what is returned is read and opened. */
@Injectable()
export class RecallService {
  private readonly logger = new Logger(RecallService.name);
  private readonly weights: RankingWeights;

  constructor(
    private readonly ledger: Ledger,
    private readonly spaces: Spaces,
    private readonly vectors: QuestionVectors,
    private readonly speakers: Speakers,
    private readonly ledgerCandidates: LedgerCandidates,
    private readonly gate: CandidateGate,
    private readonly access: MemoryAccess,
    settings: Settings,
  ) {
    this.weights = rankingWeights(settings.recallWeights);
  }

  async recall(tenant: Tenant, workspace: WorkspaceId, question: Question): Promise<Recalled> {
    const degraded = new Set<Degraded>();
    const space = this.spaces.open(tenant);
    const wordings = question.queries.length > 0 ? question.queries : [null];
    const marks = marksOf(question);
    const speakers = await this.speakers.of(tenant, workspace);
    // Null: the space does not answer.
    const search = (): Promise<(Candidate[] | null)[]> =>
      Promise.all(
        wordings.map(async (wording, at) => {
          const given = at === 0 ? question.vector : null;
          const vector =
            given ??
            (wording === null ? null : await this.vectors.of(tenant, withoutSpeakers(wording, speakers)));
          if (wording !== null && vector === null) degraded.add('models');
          const query = {
            workspace,
            vector,
            terms: wording === null ? [] : termsOf(wording),
            filter: question.filter,
            marks,
            limit: Math.max(CANDIDATES, question.offset + question.limit),
          };
          return space.vectors.search(query).catch((error: unknown) => {
            this.logger.warn(`${tenant.space} cannot be searched: ${String(error)}`);
            degraded.add('vectors');
            return null;
          });
        }),
      );
    // Nearly always nothing is missing: so the space is searched while it is asked, and again where something was.
    const [ready, found] = await Promise.all([space.ready('vectors'), search()]);
    if (ready === 'behind') degraded.add('vectors');
    // What went wrong in a store that was not there yet is no matter once it is.
    if (ready === 'caught up') degraded.clear();
    const searched = ready === 'caught up' ? await search() : found;
    const proposals = await Promise.all(
      searched.map(async (candidates, at) => {
        if (candidates !== null) return { candidates, related: NO_RELATIONS };
        const query = { wording: wordings[at] ?? null, filter: question.filter, marks };
        const proposal = await this.ledgerCandidates.propose(tenant, workspace, query);
        if (proposal.graphAway) degraded.add('graph');
        return proposal;
      }),
    );
    const weights = weightsFor(question, tenantWeights(this.weights, tenant.settings));
    const ranked = rank(question, proposals, weights);
    const relations = Math.min(1, weights.relation / DEFAULT_WEIGHTS.relation);
    if (ranked.length === 0) return { memories: [], relations, degraded: [...degraded] };
    const memories = await this.ledger.read(tenant, workspace, (tx) =>
      this.open(tx, workspace, ranked, question, weights),
    );
    this.access.note(
      tenant,
      workspace,
      memories.map(({ id }) => id),
    );
    return { memories: inTime(memories, question.sort), relations, degraded: [...degraded] };
  }

  /**
   * The best that the ledger still has. What it no longer has makes room for the next best; and what was superseded gives
   * its place to what holds now, unless the past is asked for.
   */
  private async open(
    tx: LedgerRead,
    workspace: WorkspaceId,
    ranked: Ranked[],
    question: Question,
    weights: RankingWeights,
  ): Promise<RecalledMemory[]> {
    const { queries, filter, offset, minScore } = question;
    const limit = offset + question.limit;
    const ranks = isRanked(question);
    const current = filter.validAt !== undefined;
    const phrases = queries.flatMap(phrasesIn);
    const beyond = phrases.length > 0 ? LOOKED_BEYOND.forPhrases : LOOKED_BEYOND.usually;
    const wanted = ranks ? limit + beyond : limit;
    const read = new Map<string, SealedMemory>();
    for (let next = 0; next < ranked.length && read.size < wanted;) {
      const chosen = ranked.slice(next, next + wanted - read.size);
      next += chosen.length;
      const ids = chosen.map(({ id }) => id);
      // What is no UUID came from no ledger of ours: the gate hears of it.
      const known = ids.filter(isUuid);
      const [found, relevance, heads] = await Promise.all([
        readSealed(tx, workspace, known),
        ranks ? relevanceOf(tx, workspace, known) : NO_RELEVANCE,
        current ? headsOf(tx, workspace, known) : NONE,
      ]);
      const successors =
        heads.size === 0 ? NO_MEMORIES : await readMemories(tx, workspace, [...heads.values()]);
      const passes = await filterOf(tx, workspace, filter, successors);
      for (const one of chosen) {
        const head = heads.get(one.id);
        const id = head ?? one.id;
        const successor = head === undefined ? undefined : successors.get(head);
        const open = successor === undefined ? found.get(id) : () => successor;
        if (open === undefined || (head !== undefined && !(successor && passes(successor)))) continue;
        const before = read.get(id) ?? {
          ...{ ...one, id, open, replaces: [] },
          relevance: relevance.get(id) ?? null,
        };
        read.set(id, head === undefined ? before : { ...before, replaces: [...before.replaces, one.id] });
      }
      await this.gate.examine(
        tx,
        workspace,
        ids.filter((id) => !found.has(id)),
      );
    }
    if (!ranks) return [...read.values()].slice(offset).map(opened);
    const settled = rankSettled(
      [...read.values()],
      ({ open, relevance }) => ({
        holdsPhrase: phrases.length === 0 ? null : holdsOneOf(phrases, open().content),
        relevance,
      }),
      weights,
    );
    return settled
      .filter(({ score }) => score >= minScore)
      .slice(offset, limit)
      .map(opened);
  }
}

/** One that was read, and need not be opened. */
interface SealedMemory extends Ranked {
  open: () => Memory;
  replaces: string[];
  relevance: number | null;
}

function opened({ id, score, parts, open, replaces }: SealedMemory): RecalledMemory {
  return { id, score, parts, memory: open(), replaces };
}

const NONE: ReadonlyMap<string, string> = new Map();
const NO_MEMORIES: ReadonlyMap<string, Memory> = new Map();
const NO_RELEVANCE: ReadonlyMap<string, number> = new Map();

/** What was found for one wording. */
interface Proposal {
  candidates: Candidate[];
  related: ReadonlyMap<string, number>;
}

const NO_RELATIONS: ReadonlyMap<string, number> = new Map();

function rank(question: Question, proposals: Proposal[], weights: RankingWeights): Ranked[] {
  const { queries, context } = question;
  if (!isRanked(question)) return proposals.flatMap(({ candidates }) => inProposedOrder(candidates));
  const now = Date.now();
  const rankings = proposals.map(({ candidates, related }, at) => {
    const wording = queries[at] ?? '';
    const asked: Asked = {
      terms: new Set(termsOf(wording)),
      tags: new Set(tagsIn(wording)),
      context: new Set(context),
      ...{ related, now },
    };
    return rankRecall(candidates, asked, weights);
  });
  return fuseQuestions(rankings);
}

function marksOf({ queries, context }: Question): string[] {
  return [...new Set([...context, ...queries.flatMap(tagsIn)])].slice(0, MOST_MARKS);
}

/** Where nothing was asked in words, the space's order (newest first) is the answer's. */
function inProposedOrder(candidates: Candidate[]): Ranked[] {
  const parts = noParts();
  return candidates.map(({ id }) => ({ id, score: 0, parts }));
}

function inTime(memories: Recalled['memories'], sort: Question['sort']): Recalled['memories'] {
  if (sort === 'score') return memories;
  const direction = sort === 'newest' || sort === 'updated last' ? -1 : 1;
  const time = ({ memory }: RecalledMemory) =>
    (sort === 'newest' || sort === 'oldest' ? memory.timestamp : memory.updatedAt).getTime();
  return memories.sort((a, b) => direction * (time(a) - time(b)));
}
