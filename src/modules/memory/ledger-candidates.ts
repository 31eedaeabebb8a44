import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { Ledger } from '../../ledger/ledger.js';
import { COMPARED_TAGS } from '../../ledger/compared-tags.js';
import { MENTIONED_TAGS } from '../../ledger/entity-names.js';
import { openContent } from '../../ledger/sealed-memory.js';
import { isOutage } from '../../spaces/space-errors.js';
import { Spaces } from '../../spaces/spaces.js';
import { speechOf } from '../../spaces/speech.js';
import { termsOf } from '../../spaces/terms.js';
import type { Candidate, Filter } from '../../spaces/vector-space.js';
import type { Tenant } from '../../tenancy/principal.js';
import { isUuid, type WorkspaceId } from '../../tenancy/tenant.js';
import { tagsIn } from './question.js';

/** Newest memories that are opened and read, and as many again that bear a word of the question as a tag. */
const LOOKED_AT = 200;
/** Characters of a memory that are read: this is work for the one thread that answers everybody. */
const READ = 2_000;
/** Around so many of the best by their words. */
const STARTS = 10;

interface FoundRow extends QueryResultRow {
  id: string;
  tags: string[];
  timestamp: Date;
  session_id: string | null;
  previous_id: string | null;
  importance: number;
  confidence: number;
  content: Buffer;
}

interface Found extends FoundRow {
  text: string;
}

export interface LedgerQuery {
  /** Null: the filter alone, newest first. */
  wording: string | null;
  /** Its words, each as the terms that a text may have for it. */
  words: string[][];
  filter: Filter;
  marks: string[];
  /** Tags of the entities that the wording names. */
  entities: string[];
}

export interface LedgerProposal {
  candidates: Candidate[];
  /** By id, 0..1: how close a memory is to the best of these, by relations. */
  related: ReadonlyMap<string, number>;
  graphAway: boolean;
}

/**
 * Candidates where the vector space does not answer, and the words in it with it: what the ledger still tells by
 * filters, tags and recency, and what the graph holds around those. The ledger's texts are sealed, so words are looked
 * for in as many memories as may be opened while somebody waits: the newest, and those with a tag that was asked for.
 */
@Injectable()
export class LedgerCandidates {
  constructor(
    private readonly ledger: Ledger,
    private readonly spaces: Spaces,
  ) {}

  /** At most some 400, newest first. `text` is the share of the question's words that a memory holds, 0..1. */
  async propose(
    tenant: Tenant,
    workspace: WorkspaceId,
    { wording, words, filter, marks, entities }: LedgerQuery,
  ): Promise<LedgerProposal> {
    const passing = async (tags: string[] | null, ids: string[] | null): Promise<Found[]> => {
      const values = [tenant.id, workspace, ...filterValues(filter), tags, ids, LOOKED_AT];
      const rows = await this.ledger.readRows<FoundRow>(tenant, workspace, PASSING, values);
      return rows.flatMap((row) => opened(tenant, workspace, row));
    };
    const newest = await passing(null, null);
    if (wording === null)
      return {
        candidates: newest.map((row) => candidate(row, marks, [], null)),
        related: new Map(),
        graphAway: false,
      };
    const found = new Map<string, Candidate>();
    const look = (row: Found): Candidate => {
      const terms = termsOf(row.text);
      return candidate(
        row,
        marks,
        terms,
        shareOf(words, new Set([...terms, ...termsOf(row.tags.join(' '))])),
      );
    };
    for (const row of [...newest, ...(await passing([...tagsIn(wording), ...entities], null))])
      if (!found.has(row.id)) found.set(row.id, look(row));
    const { related, graphAway } = await this.around(tenant, workspace, found);
    const around = related.size === 0 ? [] : await passing(null, [...related.keys()]);
    for (const row of around) if (!found.has(row.id)) found.set(row.id, look(row));
    return { candidates: [...found.values()], related, graphAway };
  }

  /** What the best are related to is as close as they are good and the relation is strong. */
  private async around(
    tenant: Tenant,
    workspace: WorkspaceId,
    found: ReadonlyMap<string, Candidate>,
  ): Promise<{ related: Map<string, number>; graphAway: boolean }> {
    const scoreOf = (id: string) => found.get(id)?.text.alone ?? 0;
    const related = new Map<string, number>();
    const from = [...found.keys()]
      .filter((id) => scoreOf(id) > 0)
      .sort((a, b) => scoreOf(b) - scoreOf(a))
      .slice(0, STARTS);
    if (from.length === 0) return { related, graphAway: false };
    const { graph } = this.spaces.open(tenant);
    try {
      const reached = await graph.related({ workspace, from, depth: 1, limit: LOOKED_AT });
      for (const { id, start, relation } of reached)
        if (isUuid(id)) related.set(id, Math.max(related.get(id) ?? 0, scoreOf(start) * relation.strength));
      return { related, graphAway: false };
    } catch (error) {
      if (!isOutage(error)) throw error;
      return { related, graphAway: true };
    }
  }
}

/** One that cannot be opened is in no projection either: it is passed over here as there. */
function opened(tenant: Tenant, workspace: WorkspaceId, row: FoundRow): Found[] {
  try {
    return [{ ...row, text: openContent(tenant.key, workspace, row.id, row.content).slice(0, READ) }];
  } catch {
    return [];
  }
}

function candidate(
  { id, session_id: session, timestamp, previous_id: previous, ...row }: Found,
  marks: string[],
  terms: string[],
  score: number | null,
): Candidate {
  return {
    id,
    session,
    timestamp: timestamp.getTime(),
    terms: terms.length,
    follows: previous !== null,
    ...speechOf(row.text),
    importance: row.importance,
    confidence: row.confidence,
    marks: marks.filter((mark) => row.tags.includes(mark)),
    vector: { alone: null, joined: null },
    // What the memory before it says is not looked at.
    text: { alone: score, joined: score },
  };
}

/** A word that comes twice counts once. */
function shareOf(words: string[][], held: ReadonlySet<string>): number {
  const asked = new Map(words.map((terms) => [terms[0], terms]));
  if (asked.size === 0) return 0;
  let found = 0;
  for (const terms of asked.values()) if (terms.some((term) => held.has(term))) found++;
  return found / asked.size;
}

/** As the spaces read it: an empty list of tags or types asks for nothing. */
function filterValues(filter: Filter): unknown[] {
  const { tags, excludeTags = [], types = [], from, until, session, user, agent, validAt } = filter;
  const time = (at: number | undefined) => (at === undefined ? null : new Date(at));
  return [
    tags === undefined || tags.values.length === 0 ? null : [...new Set(tags.values)],
    tags?.mode === 'all',
    tags?.match === 'prefix',
    excludeTags,
    types.length === 0 ? null : types,
    session ?? null,
    user ?? null,
    agent ?? null,
    time(from),
    time(until),
    time(validAt),
  ];
}

const PASSING = `
SELECT id, tags, timestamp, session_id, previous_id, importance, confidence, content FROM (
  SELECT workspace_id, tenant_id, id, ${COMPARED_TAGS} || ${MENTIONED_TAGS} AS tags, type, timestamp, t_valid,
    least(t_invalid, archived_at) AS t_invalid, session_id,
    user_id, agent_id, previous_id, importance, confidence, content FROM memories m WHERE tenant_id = $1 AND workspace_id = $2
) memories
WHERE tenant_id = $1 AND workspace_id = $2
  AND ($3::text[] IS NULL OR CASE
    WHEN NOT $5::boolean AND $4::boolean THEN tags @> $3
    WHEN NOT $5::boolean THEN tags && $3
    ELSE (SELECT CASE WHEN $4::boolean THEN bool_and(begun) ELSE bool_or(begun) END FROM (
      SELECT EXISTS (SELECT FROM unnest(tags) tag WHERE starts_with(tag, wanted)) AS begun FROM unnest($3) wanted) each)
    END)
  AND NOT tags && $6::text[]
  AND ($7::text[] IS NULL OR type = ANY($7))
  AND ($8::text IS NULL OR session_id = $8)
  AND ($9::text IS NULL OR user_id = $9)
  AND ($10::text IS NULL OR agent_id = $10)
  AND ($11::timestamptz IS NULL OR timestamp >= $11)
  AND ($12::timestamptz IS NULL OR timestamp <= $12)
  AND ($13::timestamptz IS NULL OR ((t_valid IS NULL OR t_valid <= $13) AND (t_invalid IS NULL OR t_invalid > $13)))
  AND ($14::text[] IS NULL OR tags && $14)
  AND ($15::uuid[] IS NULL OR id = ANY($15))
ORDER BY timestamp DESC, id
LIMIT $16`;
