import type { QueryResultRow } from 'pg';
import { openEntityName, VALID_MENTIONS } from '../../ledger/entity-names.js';
import type { LedgerRead } from '../../ledger/ledger.js';
import { mapInTurns } from '../../platform/in-turns.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { slugOf } from '../enrichment/entity-kinds.js';

/** What more memories name says too little of any two of them. */
export const TOO_COMMON = 200;

/** Somebody or something that memories name. */
export interface NamedEntity {
  /** `<kind>:<HMAC>`, as the graph knows it. */
  key: string;
  /** `entity:<kind>:<slug>`, as callers do. */
  tag: string;
  kind: string;
  name: string;
  /** Which of the memories that were asked for name it, and when the first and the last of them were said. */
  memories: string[];
  first: Date;
  last: Date;
}

interface NamedRow extends QueryResultRow {
  kind: string;
  entity: string;
  memories: string[];
  first: Date;
  last: Date;
  found: string;
  memory_id: string;
  name: Buffer;
}

/** Whom and what these memories name as they stand; those that most of them name first, no more than so many. */
export async function entitiesNamedIn(
  tx: LedgerRead,
  workspace: WorkspaceId,
  memories: readonly string[],
  most: number,
): Promise<NamedEntity[]> {
  if (memories.length === 0) return [];
  const { id, key } = tx.tenant;
  const rows = await tx.rows<NamedRow>(NAMED, [id, workspace, memories, most]);
  return mapInTurns(rows, (row): NamedEntity => {
    const name = openEntityName(key, workspace, row.memory_id, row.found, row.name);
    return {
      key: `${row.kind}:${row.entity}`,
      tag: `entity:${row.kind}:${slugOf(name)}`,
      kind: row.kind,
      name,
      memories: row.memories,
      first: row.first,
      last: row.last,
    };
  });
}

const OF_THE_ENTITY = `n.tenant_id = $1 AND n.workspace_id = $2 AND n.entity = c.entity`;

/** Its own name rather than one that was merged into it, and rather as these memories have it than as others do. */
const NAMED = `
WITH counted AS (
  SELECT kind, entity, array_agg(memory_id::text ORDER BY memory_id) AS memories, min(timestamp) AS first, max(timestamp) AS last
  FROM (
    SELECT DISTINCT n.memory_id, n.kind, n.entity, m.timestamp FROM ${VALID_MENTIONS}
    WHERE n.tenant_id = $1 AND n.workspace_id = $2 AND n.memory_id = ANY($3::uuid[])
  ) shown
  GROUP BY kind, entity ORDER BY count(*) DESC, entity LIMIT $4
)
SELECT c.*, f.found, f.memory_id, f.name FROM counted c CROSS JOIN LATERAL (
  (SELECT 1 AS place, n.found, n.memory_id, n.name FROM ${VALID_MENTIONS}
    WHERE ${OF_THE_ENTITY} AND n.found = n.entity AND n.memory_id = ANY(c.memories::uuid[])
    ORDER BY m.timestamp, n.memory_id LIMIT 1)
  UNION ALL
  (SELECT 2, n.found, n.memory_id, n.name FROM ${VALID_MENTIONS} WHERE ${OF_THE_ENTITY} AND n.found = n.entity LIMIT 1)
  UNION ALL
  (SELECT 3, n.found, n.memory_id, n.name FROM ${VALID_MENTIONS}
    WHERE ${OF_THE_ENTITY} AND n.memory_id = c.memories[1]::uuid ORDER BY n.found LIMIT 1)
  ORDER BY place LIMIT 1
) f
ORDER BY cardinality(c.memories) DESC, c.entity`;
