import type { QueryResultRow } from 'pg';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { relateMemories, type RelationDraft } from '../memory/relation-rows.js';
import type { ComparedMemory } from './enrichment-rows.js';
import { LINKED } from './neighbours.service.js';

/** That one came after the other says less of what they have in common than that they say the same. */
const PRECEDED_STRENGTH = 0.5;

interface EdgeRow extends QueryResultRow {
  id: string;
  from_id: string;
  to_id: string;
}

interface ChainRow extends QueryResultRow {
  id: string;
  previous_id: string;
  gap: number;
}

/**
 * SIMILAR_TO between each memory that was compared and its nearest: one for a pair. What was linked to it before and is
 * no longer near is linked no more.
 */
export async function linkSimilar(
  tx: LedgerWrite,
  workspace: WorkspaceId,
  read: readonly Pick<ComparedMemory, 'id' | 'neighbours'>[],
): Promise<void> {
  const compared = new Map(
    read.flatMap(({ id, neighbours }) => (neighbours === null ? [] : [[id, neighbours]])),
  );
  if (compared.size === 0) return;
  const scope = [tx.tenant.id, workspace, [...compared.keys()]];
  const there = await tx.rows<EdgeRow>(SIMILAR_THERE, scope);
  const stale: string[] = [];
  const linked = new Set<string>();
  for (const { id, from_id: from, to_id: to } of there) {
    const holds = [from, to].every((end) => {
      const near = compared.get(end);
      const other = end === from ? to : from;
      return near === undefined || near.some((neighbour) => neighbour.id === other);
    });
    if (holds) linked.add(pairOf(from, to));
    else stale.push(id);
  }
  const drafts: RelationDraft[] = [];
  for (const [from, neighbours] of compared) {
    for (const { id: to, cosine } of neighbours.slice(0, LINKED)) {
      if (linked.has(pairOf(from, to))) continue;
      linked.add(pairOf(from, to));
      const score = Math.round(cosine * 1e4) / 1e4;
      drafts.push({ from, to, type: 'SIMILAR_TO', strength: Math.fround(score), attributes: { score } });
    }
  }
  await unlink(tx, workspace, stale);
  if (drafts.length > 0) await relateMemories(tx, workspace, drafts);
}

/** PRECEDED_BY from each of the memories to the one before it in its session, and to no other. */
export async function linkPreceding(tx: LedgerWrite, workspace: WorkspaceId, ids: string[]): Promise<void> {
  const scope = [tx.tenant.id, workspace, ids];
  const [there, chain] = await Promise.all([
    tx.rows<EdgeRow>(PRECEDING_THERE, scope),
    tx.rows<ChainRow>(CHAIN, scope),
  ]);
  const wanted = new Map(chain.map(({ id, previous_id }) => [id, previous_id]));
  const held = there.filter(({ from_id, to_id }) => wanted.get(from_id) === to_id);
  await unlink(
    tx,
    workspace,
    there.filter((edge) => !held.includes(edge)).map(({ id }) => id),
  );
  const known = new Set(held.map(({ from_id }) => from_id));
  const drafts = chain.flatMap(({ id: from, previous_id: to, gap }): RelationDraft[] =>
    known.has(from)
      ? []
      : [
          {
            from,
            to,
            type: 'PRECEDED_BY',
            strength: PRECEDED_STRENGTH,
            attributes: { gap: Math.round(gap) },
          },
        ],
  );
  if (drafts.length > 0) await relateMemories(tx, workspace, drafts);
}

async function unlink(tx: LedgerWrite, workspace: WorkspaceId, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.rows(`DELETE FROM relations WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[])`, [
    tx.tenant.id,
    workspace,
    ids,
  ]);
  for (const id of ids) tx.changed(workspace, 'relation', id, true);
}

function pairOf(one: string, other: string): string {
  return one < other ? `${one}/${other}` : `${other}/${one}`;
}

const SIMILAR_THERE = `
SELECT id, from_id, to_id FROM relations
WHERE tenant_id = $1 AND workspace_id = $2 AND type = 'SIMILAR_TO' AND from_id = ANY($3::uuid[])
UNION
SELECT id, from_id, to_id FROM relations
WHERE tenant_id = $1 AND workspace_id = $2 AND type = 'SIMILAR_TO' AND to_id = ANY($3::uuid[])`;

const PRECEDING_THERE = `
SELECT id, from_id, to_id FROM relations
WHERE tenant_id = $1 AND workspace_id = $2 AND type = 'PRECEDED_BY' AND from_id = ANY($3::uuid[])`;

const CHAIN = `
SELECT m.id, m.previous_id, extract(epoch FROM m.timestamp - p.timestamp)::float8 AS gap
FROM memories m JOIN memories p ON p.tenant_id = $1 AND p.workspace_id = $2 AND p.id = m.previous_id
WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.id = ANY($3::uuid[])`;
