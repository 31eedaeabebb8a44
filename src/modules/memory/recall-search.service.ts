import { Injectable, Logger } from '@nestjs/common';
import { withoutSpeakers } from '../../spaces/speech.js';
import { Spaces } from '../../spaces/spaces.js';
import { askedTerms, searchTerms } from '../../spaces/asked-terms.js';
import type { Candidate, VectorQuery, VectorSpace } from '../../spaces/vector-space.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { LedgerCandidates } from './ledger-candidates.js';
import { QuestionEntities } from './question-entities.service.js';
import { QuestionVectors } from './question-vectors.js';
import { tagsIn, type Question } from './question.js';
import { Speakers } from './speakers.js';

/** How many candidates a space proposes for each wording. */
const CANDIDATES = 200;
/** And of those that name what the question names, whether or not their words are near to it. */
const NAMING = 50;
/** As many as a space looks for. */
const MOST_MARKS = 32;

/** What could not take part: the answer is what is left. */
export type Degraded = 'vectors' | 'graph' | 'models';

/** What was found for one wording. */
export interface Proposal {
  /** The wording's words, each as the terms that a text may have for it, first that of an English text. */
  words: string[][];
  /** The text score of a memory that has what is asked for, at the least. */
  wanted: number;
  candidates: Candidate[];
  /** By id, 0..1: how close a memory is to what was found, by relations. */
  related: ReadonlyMap<string, number>;
}

export interface Proposed {
  proposals: Proposal[];
  /** Tags of the entities that the question names. */
  entities: string[];
  degraded: Set<Degraded>;
}

/** BM25 of a word that a third of the memories have. A question's words are worth as much at the least, each. */
const WORD_WORTH = 1;
/** The ledger tells the share of the words. */
const ALL_WORDS = 1;

const NO_RELATIONS: ReadonlyMap<string, number> = new Map();
const NOT_YET = Promise.resolve(null);

/** What may answer a question: the space proposes for each of its wordings, or the ledger where the space is away. */
@Injectable()
export class RecallSearch {
  private readonly logger = new Logger(RecallSearch.name);

  constructor(
    private readonly spaces: Spaces,
    private readonly vectors: QuestionVectors,
    private readonly speakers: Speakers,
    private readonly entities: QuestionEntities,
    private readonly ledgerCandidates: LedgerCandidates,
  ) {}

  /** One proposal for each wording, in their order; one for the filter alone where there is none. */
  async propose(tenant: Tenant, workspace: WorkspaceId, question: Question): Promise<Proposed> {
    const degraded = new Set<Degraded>();
    const space = this.spaces.open(tenant);
    const wordings = question.queries.length > 0 ? question.queries : [null];
    const words = wordings.map((wording) => (wording === null ? [] : askedTerms(wording, question.language)));
    const speakers = await this.speakers.of(tenant, workspace);
    // Looked for while the question is embedded.
    const naming = this.entities.of(tenant, workspace, question.queries, speakers);
    naming.catch(() => undefined);
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
            terms: searchTerms(words[at] ?? []),
            filter: question.filter,
            limit: Math.max(CANDIDATES, question.offset + question.limit),
          };
          return searchFor(space.vectors, question, query, naming).catch((error: unknown) => {
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
    const entities = await naming;
    const marks = marksOf(question, entities);
    const proposals = await Promise.all(
      searched.map(async (candidates, at): Promise<Proposal> => {
        const asked = words[at] ?? [];
        const wanted = WORD_WORTH * new Set(asked.map(([term]) => term)).size;
        if (candidates !== null) return { words: asked, wanted, candidates, related: NO_RELATIONS };
        const query = {
          wording: wordings[at] ?? null,
          words: asked,
          filter: question.filter,
          marks,
          entities,
        };
        const proposal = await this.ledgerCandidates.propose(tenant, workspace, query);
        if (proposal.graphAway) degraded.add('graph');
        return { words: asked, wanted: ALL_WORDS, ...proposal };
      }),
    );
    return { proposals, entities, degraded };
  }
}

/**
 * Nearest by meaning and words, and those among whoever names what is asked for. Most questions name nothing that memories
 * do: where that is not known yet, nobody waits for it.
 */
async function searchFor(
  vectors: VectorSpace,
  question: Question,
  unmarked: Omit<VectorQuery, 'marks'>,
  naming: Promise<string[]>,
): Promise<Candidate[]> {
  let entities = await Promise.race([naming, NOT_YET]);
  if (entities === null) {
    const query = { ...unmarked, marks: marksOf(question, []) };
    const [found, named] = await Promise.all([vectors.search(query), naming]);
    if (named.length === 0) return found;
    entities = named;
  }
  const query = { ...unmarked, marks: marksOf(question, entities) };
  // A question for tags has chosen already.
  if (entities.length === 0 || query.filter.tags !== undefined) return vectors.search(query);
  const tags = { values: entities, mode: 'any', match: 'exact' } as const;
  const [found, sharing] = await Promise.all([
    vectors.search(query),
    vectors.search({ ...query, filter: { ...query.filter, tags }, limit: NAMING }),
  ]);
  const known = new Set(found.map(({ id }) => id));
  return [...found, ...sharing.filter(({ id }) => !known.has(id))];
}

function marksOf({ queries, context }: Question, entities: readonly string[]): string[] {
  return [...new Set([...entities, ...context.tags, ...queries.flatMap(tagsIn)])].slice(0, MOST_MARKS);
}
