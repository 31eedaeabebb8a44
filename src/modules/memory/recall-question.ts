import { askedTags } from '../../ledger/entity-names.js';
import { parseModelId } from '../../models/model-id.js';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import type { Filter } from '../../spaces/vector-space.js';
import { languageNamed } from '../../spaces/words/languages.js';
import type { Tenant } from '../../tenancy/principal.js';
import { isUuid } from '../../tenancy/tenant.js';
import { unitVector } from './memory-edge.js';
import { askedTypes } from './memory-types.js';
import { partsOfQuestion } from './question-parts.js';
import type { Question } from './question.js';
import { contextOf } from './recall-context.js';
import type { WantedTime } from './recall-time.js';
import type { RecallDto } from './recall.dto.js';

/** Each is embedded and searched for: what a caller brings, and as many parts again. */
const MOST_WORDINGS = 16;

/** What a request asks for. Throws `RequestInvalid` where the embedding is not of the model that answers for this tenant. */
export function questionOf(tenant: Tenant, dto: RecallDto, { from, until, zone }: WantedTime): Question {
  const filter: Filter = {
    ...(dto.tags === undefined
      ? {}
      : { tags: { values: askedTags(tenant.key, dto.tags), mode: dto.tag_mode, match: dto.tag_match } }),
    ...(dto.exclude_tags === undefined ? {} : { excludeTags: askedTags(tenant.key, dto.exclude_tags) }),
    ...(dto.types === undefined ? {} : { types: askedTypes(dto.types) }),
    ...(from === undefined ? {} : { from }),
    ...(until === undefined ? {} : { until }),
    ...(dto.session_id === undefined ? {} : { session: dto.session_id }),
    ...(dto.user_id === undefined ? {} : { user: dto.user_id }),
    ...(dto.agent_id === undefined ? {} : { agent: dto.agent_id }),
    ...((dto.current_only ?? dto.state_mode === 'current') ? { validAt: Date.now() } : {}),
  };
  const sort = {
    score: 'score',
    newest: 'newest',
    time_desc: 'newest',
    oldest: 'oldest',
    time_asc: 'oldest',
    updated_desc: 'updated last',
    updated_asc: 'updated first',
  } as const;
  const wordings = [...new Set([...(dto.query === undefined ? [] : [dto.query]), ...(dto.queries ?? [])])];
  const language = dto.language === undefined ? null : languageNamed(dto.language);
  return {
    queries: dto.auto_decompose ? withParts(wordings) : wordings,
    vector: dto.embedding === undefined ? null : questionVector(tenant, dto.embedding),
    language,
    zone,
    filter,
    context: contextOf({
      tags: askedTags(tenant.key, dto.context_tags ?? []),
      types: dto.context_types ?? [],
      context: dto.context,
      // That of the question's words is not what it is about.
      language: language === null ? dto.language : undefined,
      path: dto.active_path,
    }),
    pinned: [...new Set(dto.priority_ids?.filter(isUuid).map((id) => id.toLowerCase()))],
    limit: dto.limit,
    eachLimit: dto.per_query_limit ?? Infinity,
    offset: dto.offset,
    minScore: dto.min_score,
    floor:
      dto.adaptive_floor === true ? 'adaptive' : dto.adaptive_floor === false ? null : dto.adaptive_floor,
    beyondTags: dto.scope_fallback,
    sort: sort[dto.sort],
    recency: dto.recency_bias,
  };
}

/** Each asked in parts besides, as far as there is room. */
function withParts(wordings: string[]): string[] {
  return [...new Set([...wordings, ...wordings.flatMap(partsOfQuestion)])].slice(0, MOST_WORDINGS);
}

function questionVector(tenant: Tenant, embedding: number[]): Float32Array {
  const { dimensions } = parseModelId(tenant.embeddingModel);
  if (embedding.length !== dimensions) {
    throw new RequestInvalid([{ location: 'embedding', message: `must have ${dimensions} numbers` }]);
  }
  return unitVector(embedding);
}
