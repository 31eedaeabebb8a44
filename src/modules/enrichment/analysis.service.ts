import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { openEntityName, VALID_MENTIONS } from '../../ledger/entity-names.js';
import { Ledger, type LedgerRead } from '../../ledger/ledger.js';
import { openContent } from '../../ledger/sealed-memory.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import type { Tenant } from '../../tenancy/principal.js';
import { relationOf, type RelationRow } from '../memory/relation-rows.js';
import type { EntityKind } from './entity-kinds.js';

/** Two entities that come up together. */
export interface Pattern {
  names: [string, string];
  kinds: [EntityKind, EntityKind];
  /** In how many memories. */
  observations: number;
  /** In what share of the memories that name the rarer of the two, 0..1. */
  confidence: number;
}

export interface Preference {
  prefers: string;
  over: string;
  context: string | null;
  strength: number;
}

export interface Analysis {
  total: number;
  types: { type: string; count: number; confidence: number; importance: number }[];
  tags: { tag: string; count: number }[];
  entities: { kind: EntityKind; name: string; count: number }[];
  importance: Levels;
  confidence: Levels;
  hours: { hour: number; count: number; importance: number }[];
  months: { month: string; count: number }[];
  patterns: Pattern[];
  preferences: Preference[];
}

/** Below 0.3, below 0.7, and above. */
export interface Levels {
  low: number;
  medium: number;
  high: number;
}

interface OverviewRow extends QueryResultRow {
  total: number;
  types: Analysis['types'] | null;
  tags: Analysis['tags'] | null;
  importance: Levels;
  confidence: Levels;
  hours: Analysis['hours'] | null;
  months: Analysis['months'] | null;
}

interface NameRow extends QueryResultRow {
  kind: EntityKind;
  entity: string;
  count: number;
  memory_id: string;
  found: string;
  name: Buffer;
}

interface PairRow extends QueryResultRow {
  one: string;
  other: string;
  together: number;
}

/** What a workspace remembers, in numbers. PostgreSQL counts; only names and a few contents are opened. */
@Injectable()
export class AnalysisService {
  constructor(private readonly ledger: Ledger) {}

  async of(tenant: Tenant, workspace: WorkspaceId): Promise<Analysis> {
    return this.ledger.read(tenant, workspace, async (tx) => {
      const [overview] = await tx.rows<OverviewRow>(OVERVIEW, [tenant.id, workspace]);
      const names = await tx.rows<NameRow>(NAMES, [tenant.id, workspace]);
      const pairs = await tx.rows<PairRow>(PAIRS, [tenant.id, workspace, names.map(({ entity }) => entity)]);
      if (overview === undefined) throw new Error('A count without a row');
      const known = new Map(
        names.map((row) => [
          row.entity,
          { ...row, name: openEntityName(tenant.key, workspace, row.memory_id, row.found, row.name) },
        ]),
      );
      return {
        total: overview.total,
        types: overview.types ?? [],
        tags: overview.tags ?? [],
        importance: overview.importance,
        confidence: overview.confidence,
        hours: overview.hours ?? [],
        months: overview.months ?? [],
        entities: [...known.values()].map(({ kind, name, count }) => ({ kind, name, count })),
        patterns: pairs.flatMap(({ one, other, together }): Pattern[] => {
          const [a, b] = [known.get(one), known.get(other)];
          if (a === undefined || b === undefined) return [];
          const confidence = together / Math.min(a.count, b.count);
          return [{ names: [a.name, b.name], kinds: [a.kind, b.kind], observations: together, confidence }];
        }),
        preferences: await preferencesOf(tx, workspace),
      };
    });
  }
}

interface PreferenceRow extends RelationRow {
  prefers: Buffer;
  over: Buffer;
}

/** What was said to be preferred to what, the surest first. */
async function preferencesOf(tx: LedgerRead, workspace: WorkspaceId): Promise<Preference[]> {
  const { key } = tx.tenant;
  const rows = await tx.rows<PreferenceRow>(PREFERENCES, [tx.tenant.id, workspace]);
  return rows.map((row) => {
    const { from, to, strength, attributes } = relationOf(tx.tenant, workspace, row);
    return {
      prefers: openContent(key, workspace, from, row.prefers),
      over: openContent(key, workspace, to, row.over),
      context: attributes.context ?? null,
      strength,
    };
  });
}

const OWN = `FROM memories WHERE tenant_id = $1 AND workspace_id = $2`;
const levels = (column: string) => `jsonb_build_object(
  'low', count(*) FILTER (WHERE ${column} < 0.3::real),
  'medium', count(*) FILTER (WHERE ${column} >= 0.3::real AND ${column} < 0.7::real),
  'high', count(*) FILTER (WHERE ${column} >= 0.7::real))`;

const OVERVIEW = `
SELECT count(*)::int AS total, ${levels('importance')} AS importance, ${levels('confidence')} AS confidence,
  (SELECT jsonb_agg(t) FROM (
    SELECT type, count(*) AS count, round(avg(confidence)::numeric, 3) AS confidence,
      round(avg(importance)::numeric, 3) AS importance
    ${OWN} GROUP BY type ORDER BY count(*) DESC, type LIMIT 100) t) AS types,
  (SELECT jsonb_agg(t) FROM (
    SELECT tag, count(*) AS count FROM (SELECT unnest(tags) AS tag ${OWN}) each GROUP BY tag
    ORDER BY count(*) DESC, tag LIMIT 20) t) AS tags,
  (SELECT jsonb_agg(h) FROM (
    SELECT extract(hour FROM timestamp AT TIME ZONE 'UTC')::int AS hour, count(*) AS count,
      round(avg(importance)::numeric, 3) AS importance
    ${OWN} GROUP BY 1 ORDER BY 1) h) AS hours,
  (SELECT jsonb_agg(d) FROM (
    SELECT to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM') AS month, count(*) AS count
    ${OWN} GROUP BY 1 ORDER BY 1 DESC LIMIT 24) d) AS months
${OWN}`;

/** The most named of each kind, with one mention of each to read its name from. */
const NAMES = `
SELECT k.kind, k.entity, k.count, f.found, f.memory_id, f.name FROM (
  SELECT kind, entity, count, row_number() OVER (PARTITION BY kind ORDER BY count DESC, entity) AS place FROM (
    SELECT max(n.kind) AS kind, n.entity, count(DISTINCT n.memory_id)::int AS count
    FROM ${VALID_MENTIONS} WHERE n.tenant_id = $1 AND n.workspace_id = $2 GROUP BY n.entity) counted
) k CROSS JOIN LATERAL (
  SELECT n.found, n.memory_id, n.name FROM ${VALID_MENTIONS}
  WHERE n.tenant_id = $1 AND n.workspace_id = $2 AND n.entity = k.entity
  ORDER BY n.found <> n.entity, n.found, m.timestamp LIMIT 1
) f
WHERE k.place <= 20 ORDER BY k.count DESC, k.entity`;

/** Only what comes up together more than twice is called a pattern. */
const PAIRS = `
WITH named AS (
  SELECT DISTINCT n.memory_id, n.entity FROM ${VALID_MENTIONS}
  WHERE n.tenant_id = $1 AND n.workspace_id = $2 AND n.entity = ANY($3::text[])
)
SELECT a.entity AS one, b.entity AS other, count(*)::int AS together
FROM named a JOIN named b ON b.memory_id = a.memory_id AND b.entity > a.entity
GROUP BY 1, 2 HAVING count(*) >= 3 ORDER BY 3 DESC, 1, 2 LIMIT 10`;

const PREFERENCES = `
SELECT r.id, r.from_id, r.to_id, r.type, r.strength, r.attributes, a.content AS prefers, b.content AS over
FROM relations r
JOIN memories a ON a.tenant_id = $1 AND a.workspace_id = $2 AND a.id = r.from_id
JOIN memories b ON b.tenant_id = $1 AND b.workspace_id = $2 AND b.id = r.to_id
WHERE r.tenant_id = $1 AND r.workspace_id = $2 AND r.type = 'PREFERS_OVER'
ORDER BY r.strength DESC, r.id LIMIT 10`;
