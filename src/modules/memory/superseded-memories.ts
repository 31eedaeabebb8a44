import type { QueryResultRow } from 'pg';
import type { LedgerRead } from '../../ledger/ledger.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';

/** So many steps at the most: whoever was superseded more often is led to the one that stands there. */
const LONGEST_CHAIN = 100;

/** How a memory was superseded. */
export interface Supersession {
  /** What holds now in its place. */
  head: string;
  /** What held in between, in order. */
  via: string[];
  /** The relation that leads away from it: `INVALIDATED_BY` or `EVOLVED_INTO`. */
  type: string;
}

/**
 * What holds now in place of memories that were superseded (INVALIDATED_BY, EVOLVED_INTO): each led from one to the next
 * to the head of its chain. Where several supersede one, the strongest relation leads on, then the latest. A memory that
 * nothing supersedes is left out; so is one whose chain ends in a circle, as that has no head.
 * One statement, over an index that is empty where nothing was ever superseded.
 */
export async function supersessionsOf(
  tx: LedgerRead,
  workspace: WorkspaceId,
  ids: readonly string[],
): Promise<Map<string, Supersession>> {
  const rows = await tx.rows<HeadRow>(HEADS, [tx.tenant.id, workspace, ids, LONGEST_CHAIN]);
  return new Map(rows.map(({ start, head, came, type }) => [start, { head, via: came.slice(1), type }]));
}

interface HeadRow extends QueryResultRow {
  start: string;
  head: string;
  /** From the start to the one before the head. */
  came: string[];
  type: string;
}

const successorOf = (id: string): string => `
  SELECT r.to_id, r.type FROM relations r
  WHERE r.tenant_id = $1 AND r.workspace_id = $2 AND r.from_id = ${id} AND r.type IN ('INVALIDATED_BY', 'EVOLVED_INTO')
  ORDER BY r.strength DESC, r.updated_at DESC, r.id LIMIT 1`;

const HEADS = `
WITH RECURSIVE chain (start, at, came, type) AS (
  SELECT w.id, s.to_id, ARRAY[w.id], s.type
  FROM unnest($3::uuid[]) AS w (id) CROSS JOIN LATERAL (${successorOf('w.id')}) s
  UNION ALL
  SELECT c.start, s.to_id, c.came || c.at, c.type FROM chain c CROSS JOIN LATERAL (${successorOf('c.at')}) s
  WHERE cardinality(c.came) < $4 AND NOT c.at = ANY(c.came)
)
SELECT start, at AS head, came, type FROM (
  SELECT DISTINCT ON (start) start, at, came, type FROM chain ORDER BY start, cardinality(came) DESC
) last WHERE NOT at = ANY(came)`;
