import { Injectable, Logger } from '@nestjs/common';
import { Ledger, type LedgerRead } from '../../ledger/ledger.js';
import { Settings } from '../../platform/config/settings.js';
import { termsOf } from '../../spaces/terms.js';
import { Spaces } from '../../spaces/spaces.js';
import type { Candidate } from '../../spaces/vector-space.js';
import type { Tenant } from '../../tenancy/principal.js';
import { isUuid, type WorkspaceId } from '../../tenancy/tenant.js';
import { CandidateGate } from './candidate-gate.service.js';
import { LedgerCandidates } from './ledger-candidates.js';
import { MemoryAccess } from './memory-access.service.js';
import { passesFilter } from './memory-filter.js';
import { readMemories } from './memory-rows.js';
import type { Memory } from './memory.js';
import { QuestionVectors } from './question-vectors.js';
import type { Question } from './question.js';
import { rankingWeights } from './ranking-weights.js';
import { fuseQuestions, NO_PARTS, rankRecall, type Ranked, type RankingWeights } from './recall-ranking.js';
import { headsOf } from './superseded-memories.js';

/** How many candidates a space proposes for each wording. */
const CANDIDATES = 200;

/** What could not take part: the answer is what is left. */
export type Degraded = 'vectors' | 'graph' | 'models';

export interface RecalledMemory extends Ranked {
  memory: Memory;
  /** What it holds in place of now, though the question found that. */
  replaces: string[];
}

export interface Recalled {
  memories: RecalledMemory[];
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
    // Null: the space does not answer.
    const search = (): Promise<(Candidate[] | null)[]> =>
      Promise.all(
        wordings.map(async (wording) => {
          const vector = wording === null ? null : await this.vectors.of(tenant, wording);
          if (wording !== null && vector === null) degraded.add('models');
          const query = {
            workspace,
            vector,
            terms: wording === null ? [] : termsOf(wording),
            filter: question.filter,
            limit: Math.max(CANDIDATES, question.limit),
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
        if (candidates !== null) return candidates;
        const query = { wording: wordings[at] ?? null, filter: question.filter };
        const { candidates: left, graphAway } = await this.ledgerCandidates.propose(tenant, workspace, query);
        if (graphAway) degraded.add('graph');
        return left;
      }),
    );
    const ranked = this.rank(question, proposals);
    if (ranked.length === 0) return { memories: [], degraded: [...degraded] };
    const memories = await this.ledger.read(tenant, workspace, (tx) =>
      this.open(tx, workspace, ranked, question),
    );
    this.access.note(
      tenant,
      workspace,
      memories.map(({ id }) => id),
    );
    return { memories: inTime(memories, question.sort), degraded: [...degraded] };
  }

  private rank(question: Question, proposals: Candidate[][]): Ranked[] {
    const ranked =
      question.queries.length === 0
        ? inProposedOrder(proposals.flat())
        : fuseQuestions(proposals.map((candidates) => rankRecall(candidates, this.weights)));
    return ranked.filter(({ score }) => score >= question.minScore);
  }

  /**
   * The best that the ledger still has. What it no longer has makes room for the next best; and what was superseded gives
   * its place to what holds now, unless the past is asked for.
   */
  private async open(
    tx: LedgerRead,
    workspace: WorkspaceId,
    ranked: Ranked[],
    { limit, filter }: Question,
  ): Promise<RecalledMemory[]> {
    const current = filter.validAt !== undefined;
    const opened = new Map<string, RecalledMemory>();
    for (let next = 0; next < ranked.length && opened.size < limit;) {
      const chosen = ranked.slice(next, next + limit - opened.size);
      next += chosen.length;
      const ids = chosen.map(({ id }) => id);
      // What is no UUID came from no ledger of ours: the gate hears of it.
      const known = ids.filter(isUuid);
      const [found, heads] = await Promise.all([
        readMemories(tx, workspace, known),
        current ? headsOf(tx, workspace, known) : NONE,
      ]);
      const successors =
        heads.size === 0 ? NO_MEMORIES : await readMemories(tx, workspace, [...heads.values()]);
      for (const one of chosen) {
        const head = heads.get(one.id);
        const memory = head === undefined ? found.get(one.id) : successors.get(head);
        if (memory === undefined || (head !== undefined && !passesFilter(filter, memory))) continue;
        const before = opened.get(memory.id) ?? { ...one, id: memory.id, memory, replaces: [] };
        opened.set(
          memory.id,
          head === undefined ? before : { ...before, replaces: [...before.replaces, one.id] },
        );
      }
      await this.gate.examine(
        tx,
        workspace,
        ids.filter((id) => !found.has(id)),
      );
    }
    return [...opened.values()];
  }
}

const NONE: ReadonlyMap<string, string> = new Map();
const NO_MEMORIES: ReadonlyMap<string, Memory> = new Map();

/** Where nothing was asked in words, the space's order (newest first) is the answer's. */
function inProposedOrder(candidates: Candidate[]): Ranked[] {
  return candidates.map(({ id }) => ({ id, score: 0, parts: NO_PARTS }));
}

function inTime(memories: Recalled['memories'], sort: Question['sort']): Recalled['memories'] {
  if (sort === 'score') return memories;
  const direction = sort === 'newest' ? -1 : 1;
  return memories.sort((a, b) => direction * (a.memory.timestamp.getTime() - b.memory.timestamp.getTime()));
}
