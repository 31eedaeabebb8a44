import type { QueryResultRow } from 'pg';
import type { LedgerWrite } from '../../../ledger/ledger-write.js';
import type { WorkspaceId } from '../../../tenancy/tenant.js';
import type { MemoryType } from '../../memory/memory-types.js';

interface TypedRow extends QueryResultRow {
  id: string;
  type: string;
}

/**
 * Gives memories whose type nobody gave the one that a model tells. It is the system's correction of the system's guess, and
 * no edit: it is on record and takes a revision, but there is no history of it, and the memory is an exact duplicate of what
 * it was before.
 */
export async function correctTypes(
  tx: LedgerWrite,
  workspace: WorkspaceId,
  types: ReadonlyMap<string, MemoryType>,
): Promise<void> {
  if (types.size === 0) return;
  const told = await tx.rows<TypedRow>(
    `SELECT id, type FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[]) AND NOT type_given`,
    [tx.tenant.id, workspace, [...types.keys()]],
  );
  const corrections = told.flatMap(({ id, type: before }) => {
    const after = types.get(id);
    return after === undefined || after === before ? [] : [{ id, before, after }];
  });
  if (corrections.length === 0) return;
  const ids = corrections.map(({ id }) => id);
  await tx.rows(CORRECT, [tx.tenant.id, workspace, ids, corrections.map(({ after }) => after)]);
  for (const id of ids) tx.changed(workspace, 'memory', id);
  tx.record('memory.classify', workspace, ids, { types: corrections });
}

const CORRECT = `
UPDATE memories m SET type = n.type FROM unnest($3::uuid[], $4::text[]) AS n (id, type)
WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.id = n.id`;
