import type { QueryResultRow } from 'pg';
import { VALID_MENTIONS } from '../../ledger/entity-names.js';
import type { LedgerRead } from '../../ledger/ledger.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';

/** What there is in a workspace, in numbers; each by kind, the most first. */
export interface GraphCounts {
  byType: Map<string, number>;
  byRelation: Map<string, number>;
  byEntity: Map<string, number>;
  mentions: number;
  importance: { high: number; medium: number; low: number };
  activity: { date: string; count: number }[];
}

interface TypeRow extends QueryResultRow {
  type: string;
  count: string;
  high: string;
  medium: string;
  low: string;
}

export async function countGraph(tx: LedgerRead, workspace: WorkspaceId): Promise<GraphCounts> {
  const scope = [tx.tenant.id, workspace];
  const [types, relations, entities, days] = await Promise.all([
    tx.rows<TypeRow>(BY_TYPE, scope),
    tx.rows<QueryResultRow & { type: string; count: string }>(BY_RELATION, scope),
    tx.rows<QueryResultRow & { kind: string; count: string; mentions: string }>(BY_ENTITY, scope),
    tx.rows<QueryResultRow & { date: string; count: string }>(ACTIVITY, scope),
  ]);
  const sum = (of: (row: TypeRow) => string): number => types.reduce((all, row) => all + Number(of(row)), 0);
  return {
    byType: new Map(types.map(({ type, count }) => [type, Number(count)])),
    byRelation: new Map(relations.map(({ type, count }) => [type, Number(count)])),
    byEntity: new Map(entities.map(({ kind, count }) => [kind, Number(count)])),
    mentions: entities.reduce((all, { mentions }) => all + Number(mentions), 0),
    importance: {
      high: sum(({ high }) => high),
      medium: sum(({ medium }) => medium),
      low: sum(({ low }) => low),
    },
    activity: days.map(({ date, count }) => ({ date, count: Number(count) })),
  };
}

const BY_TYPE = `
SELECT type, count(*), count(*) FILTER (WHERE importance >= 0.8::real) AS high,
  count(*) FILTER (WHERE importance >= 0.5::real AND importance < 0.8::real) AS medium,
  count(*) FILTER (WHERE importance < 0.5::real) AS low
FROM memories WHERE tenant_id = $1 AND workspace_id = $2 GROUP BY type ORDER BY count(*) DESC, type`;

const BY_RELATION = `
SELECT type, count(*) FROM relations WHERE tenant_id = $1 AND workspace_id = $2 GROUP BY type ORDER BY count(*) DESC, type`;

const BY_ENTITY = `
SELECT n.kind, count(DISTINCT n.entity), count(DISTINCT (n.memory_id, n.entity)) AS mentions FROM ${VALID_MENTIONS}
WHERE n.tenant_id = $1 AND n.workspace_id = $2 GROUP BY n.kind ORDER BY count(DISTINCT n.entity) DESC, n.kind`;

const ACTIVITY = `
SELECT to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS date, count(*) FROM memories
WHERE tenant_id = $1 AND workspace_id = $2 AND timestamp > now() - interval '7 days' AND timestamp <= now()
GROUP BY 1 ORDER BY 1 DESC`;
