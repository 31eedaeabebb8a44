import { Injectable, Logger } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { Ledger, type LedgerRead } from '../../ledger/ledger.js';
import { SEAL_BYTES } from '../../tenancy/tenant-key.js';
import { Settings } from '../../platform/config/settings.js';
import { termsOf } from '../../spaces/terms.js';
import { Spaces } from '../../spaces/spaces.js';
import type { Candidate } from '../../spaces/vector-space.js';
import type { Tenant } from '../../tenancy/principal.js';
import { isUuid, type WorkspaceId } from '../../tenancy/tenant.js';
import { CandidateGate } from './candidate-gate.service.js';
import { MemoryAccess } from './memory-access.service.js';
import { memoryOf, MEMORY_COLUMNS, type MemoryRow } from './memory-rows.js';
import type { Memory } from './memory.js';
import { QuestionVectors } from './question-vectors.js';
import type { Question } from './question.js';
import { rankingWeights } from './ranking-weights.js';
import {
  fuseQuestions,
  rankRecall,
  type Ranked,
  type RankingFacts,
  type RankingWeights,
} from './recall-ranking.js';

/** How many candidates a space proposes for each wording. */
const CANDIDATES = 200;

/** What could not take part: the answer is what is left. */
export type Degraded = 'vectors' | 'graph' | 'models';

export interface Recalled {
  memories: (Ranked & { memory: Memory })[];
  degraded: Degraded[];
}

interface FactsRow extends QueryResultRow {
  id: string;
  session_id: string | null;
  joined: boolean;
  length: number;
  /** Seconds: as a date each would be parsed from text, for two hundred candidates that are not shown. */
  at: number;
}

/** Recall: the space proposes ids with scores, the ledger tells what ranking needs, and only what is returned is opened. */
@Injectable()
export class RecallService {
  private readonly logger = new Logger(RecallService.name);
  private readonly weights: RankingWeights;

  constructor(
    private readonly ledger: Ledger,
    private readonly spaces: Spaces,
    private readonly vectors: QuestionVectors,
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
    const search = () =>
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
            return [];
          });
        }),
      );
    // Nearly always nothing is missing: so the space is searched while it is asked, and again where something was.
    const [ready, found] = await Promise.all([space.ready('vectors'), search()]);
    if (ready === 'behind') degraded.add('vectors');
    // What went wrong in a store that was not there yet is no matter once it is.
    if (ready === 'caught up') degraded.clear();
    const proposals = ready === 'caught up' ? await search() : found;
    const memories = await this.ledger.read(tenant, workspace, (tx) =>
      this.answer(tx, workspace, question, proposals),
    );
    this.access.note(
      tenant,
      workspace,
      memories.map(({ id }) => id),
    );
    return { memories, degraded: [...degraded] };
  }

  private async answer(
    tx: LedgerRead,
    workspace: WorkspaceId,
    question: Question,
    proposals: Candidate[][],
  ): Promise<Recalled['memories']> {
    const ids = [...new Set(proposals.flat().map((candidate) => candidate.id))];
    if (ids.length === 0) return [];
    const rows = await tx.rows<FactsRow>(
      `SELECT id, session_id, previous_id IS NOT NULL AS joined, octet_length(content) - ${SEAL_BYTES} AS length,
         extract(epoch FROM timestamp)::float8 AS at
       FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[])`,
      // What is no UUID came from no ledger of ours: the gate hears of it.
      [tx.tenant.id, workspace, ids.filter(isUuid)],
    );
    const times = new Map(rows.map((row) => [row.id, row.at]));
    await this.gate.examine(
      tx,
      workspace,
      ids.filter((id) => !times.has(id)),
    );
    const facts = new Map<string, RankingFacts>(
      rows.map((row) => [row.id, { session: row.session_id, joined: row.joined, length: row.length }]),
    );
    const ranked =
      question.queries.length === 0
        ? inProposedOrder(proposals.flat(), facts)
        : fuseQuestions(proposals.map((candidates) => rankRecall(candidates, facts, this.weights)));
    const chosen = ranked.filter(({ score }) => score >= question.minScore).slice(0, question.limit);
    if (question.sort !== 'score') {
      const direction = question.sort === 'newest' ? -1 : 1;
      chosen.sort((a, b) => direction * ((times.get(a.id) ?? 0) - (times.get(b.id) ?? 0)));
    }
    return this.open(tx, workspace, chosen);
  }

  private async open(
    tx: LedgerRead,
    workspace: WorkspaceId,
    chosen: Ranked[],
  ): Promise<Recalled['memories']> {
    const rows = await tx.rows<MemoryRow>(
      `SELECT ${MEMORY_COLUMNS} FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[])`,
      [tx.tenant.id, workspace, chosen.map(({ id }) => id)],
    );
    const byId = new Map(rows.map((row) => [row.id, row]));
    return chosen.flatMap((ranked) => {
      const row = byId.get(ranked.id);
      return row === undefined ? [] : [{ ...ranked, memory: memoryOf(tx.tenant, row) }];
    });
  }
}

/** Where nothing was asked in words, the space's order (newest first) is the answer's. */
function inProposedOrder(candidates: Candidate[], facts: ReadonlyMap<string, RankingFacts>): Ranked[] {
  const parts = { vector: 0, vector_joined: 0, text: 0, text_joined: 0, session: 0, substance: 0 };
  return candidates.filter(({ id }) => facts.has(id)).map(({ id }) => ({ id, score: 0, parts }));
}
