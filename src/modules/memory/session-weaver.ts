import type { QueryResultRow } from 'pg';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import { joinedText, openContent, textHash } from '../../ledger/sealed-memory.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { weave, type ChainLink } from './session-chain.js';
import type { PendingVector } from './vector-rows.js';

interface LinkRow extends QueryResultRow {
  id: string;
  timestamp: Date;
  position: string;
  previous_id: string | null;
}

interface JoinRow extends QueryResultRow {
  id: string;
  content: Buffer;
  previous_id: string | null;
  previous_content: Buffer | null;
}

/** A memory that enters a session, before it is inserted. */
export interface Entering {
  id: string;
  session: string;
  timestamp: Date;
  position: number;
}

/**
 * Finds the place of memories that enter a session: who is before each, and which of the memories that are already
 * there now follow another one than before. Runs under the tenant's lock, so that the chain cannot change meanwhile.
 */
export async function placeInSession(
  tx: LedgerWrite,
  workspace: WorkspaceId,
  session: string,
  entering: Entering[],
): Promise<{ previous: Map<string, string | null>; displaced: { id: string; previous: string | null }[] }> {
  const times = entering.map((memory) => memory.timestamp.getTime());
  const known = await tx.rows<LinkRow>(AROUND, [
    tx.tenant.id,
    workspace,
    session,
    new Date(Math.min(...times)),
    new Date(Math.max(...times)),
    entering.map((memory) => memory.id),
  ]);
  const added: ChainLink[] = entering.map((memory) => ({
    id: memory.id,
    timestamp: memory.timestamp.getTime(),
    position: memory.position,
    previous: null,
  }));
  const relinks = weave(known.map(linkOf), added);
  const previous = new Map<string, string | null>(entering.map((memory) => [memory.id, null]));
  const displaced: { id: string; previous: string | null }[] = [];
  for (const relink of relinks) {
    if (previous.has(relink.id)) previous.set(relink.id, relink.previous);
    else displaced.push(relink);
  }
  return { previous, displaced };
}

/** Gives the followers of memories that are about to go the predecessor that those had. */
export async function closeGap(
  tx: LedgerWrite,
  workspace: WorkspaceId,
  leaving: string[],
): Promise<string[]> {
  // Several neighbours may leave at once: the nearest one that stays is found by walking back over those that go.
  const followers = await tx.rows<{ id: string }>(CLOSE_GAP, [tx.tenant.id, workspace, leaving]);
  return followers.map((row) => row.id);
}

export async function setPrevious(
  tx: LedgerWrite,
  workspace: WorkspaceId,
  relinks: { id: string; previous: string | null }[],
): Promise<void> {
  if (relinks.length === 0) return;
  await tx.rows(
    `UPDATE memories m SET previous_id = r.previous FROM unnest($3::uuid[], $4::uuid[]) AS r (id, previous)
     WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.id = r.id`,
    [tx.tenant.id, workspace, relinks.map((r) => r.id), relinks.map((r) => r.previous)],
  );
}

/**
 * The joined text of these memories has changed: they get new revisions, and what the text's vector was is void.
 * The new vectors come with the backfill.
 */
export async function rejoin(
  tx: LedgerWrite,
  workspace: WorkspaceId,
  ids: string[],
  models: string[],
): Promise<PendingVector[]> {
  if (ids.length === 0) return [];
  const { tenant } = tx;
  const rows = await tx.rows<JoinRow>(
    `SELECT m.id, m.content, m.previous_id, p.content AS previous_content FROM memories m
     LEFT JOIN memories p ON p.tenant_id = m.tenant_id AND p.workspace_id = m.workspace_id AND p.id = m.previous_id
     WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.id = ANY($3::uuid[])`,
    [tenant.id, workspace, ids],
  );
  const hashes = rows.map((row) => {
    if (row.previous_id === null || row.previous_content === null) return null;
    const previous = openContent(tenant.key, workspace, row.previous_id, row.previous_content);
    return textHash(
      tenant.key,
      joinedText(previous, openContent(tenant.key, workspace, row.id, row.content)),
    );
  });
  await tx.rows(
    `UPDATE memories m SET joined_hash = r.hash FROM unnest($3::uuid[], $4::bytea[]) AS r (id, hash)
     WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.id = r.id`,
    [tenant.id, workspace, rows.map((row) => row.id), hashes],
  );
  await tx.rows(
    `DELETE FROM embeddings WHERE tenant_id = $1 AND workspace_id = $2 AND memory_id = ANY($3::uuid[]) AND part = 'joined'`,
    [tenant.id, workspace, rows.map((row) => row.id)],
  );
  for (const row of rows) tx.changed(workspace, 'memory', row.id);
  return rows.flatMap((row, i) =>
    hashes[i] === null
      ? []
      : models.map((model) => ({ workspace, id: row.id, part: 'joined' as const, model })),
  );
}

function linkOf(row: LinkRow): ChainLink {
  return {
    id: row.id,
    timestamp: row.timestamp.getTime(),
    position: Number(row.position),
    previous: row.previous_id,
  };
}

const IN_SESSION = `tenant_id = $1 AND workspace_id = $2 AND session_id = $3 AND NOT id = ANY($6::uuid[])`;
const LINK = `id, timestamp, position, previous_id`;

const AROUND = `
(SELECT ${LINK} FROM memories WHERE ${IN_SESSION} AND timestamp < $4 ORDER BY timestamp DESC, position DESC LIMIT 1)
UNION ALL
(SELECT ${LINK} FROM memories WHERE ${IN_SESSION} AND timestamp BETWEEN $4 AND $5)
UNION ALL
(SELECT ${LINK} FROM memories WHERE ${IN_SESSION} AND timestamp > $5 ORDER BY timestamp, position LIMIT 1)`;

const CLOSE_GAP = `
WITH RECURSIVE back AS (
  SELECT f.id AS follower, f.previous_id AS candidate FROM memories f
  WHERE f.tenant_id = $1 AND f.workspace_id = $2 AND f.previous_id = ANY($3::uuid[]) AND NOT f.id = ANY($3::uuid[])
  UNION ALL
  SELECT b.follower, l.previous_id FROM back b
  JOIN memories l ON l.tenant_id = $1 AND l.workspace_id = $2 AND l.id = b.candidate
  WHERE b.candidate = ANY($3::uuid[])
)
UPDATE memories m SET previous_id = b.candidate FROM back b
WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.id = b.follower
  AND (b.candidate IS NULL OR NOT b.candidate = ANY($3::uuid[]))
RETURNING m.id`;
