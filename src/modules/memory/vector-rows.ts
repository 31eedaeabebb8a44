import type { LedgerWrite } from '../../ledger/ledger-write.js';
import { sealVector, type Part } from '../../ledger/sealed-memory.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';

/** A text of a memory that waits for its vector. */
export interface PendingVector {
  workspace: WorkspaceId;
  id: string;
  part: Part;
  model: string;
}

/** A vector on its way into the ledger. */
export interface MadeVector extends PendingVector {
  /** Of the text that it was made from. */
  hash: Buffer;
  given: boolean;
  vector: Float32Array;
}

/**
 * Whoever waited for one of these waits no longer. The vectors travel end to end as one value, which goes as it is: in an
 * array each would be written out in hexadecimal and read again.
 */
export function insertVectors(tx: LedgerWrite, made: MadeVector[]): void {
  if (made.length === 0) return;
  const sealed = made.map((v) => sealVector(tx.tenant.key, v.workspace, v.id, v.part, v.vector));
  let end = 1;
  const starts = sealed.map(({ length }) => (end += length) - length);
  tx.send(
    `WITH settled AS (
       DELETE FROM pending_vectors p USING unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[]) AS v (workspace_id, memory_id, part, model)
       WHERE p.tenant_id = $1 AND p.workspace_id = v.workspace_id AND p.memory_id = v.memory_id AND p.part = v.part AND p.model = v.model
     )
     INSERT INTO embeddings (tenant_id, workspace_id, memory_id, part, model, hash, given, vector)
     SELECT $1, v.workspace_id, v.memory_id, v.part, v.model, v.hash, v.given, substring($8::bytea FROM v.start FOR v.length)
     FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bytea[], $7::boolean[], $9::int[], $10::int[])
       AS v (workspace_id, memory_id, part, model, hash, given, start, length)
     ON CONFLICT (tenant_id, workspace_id, memory_id, part, model)
     DO UPDATE SET hash = excluded.hash, given = excluded.given, vector = excluded.vector`,
    [
      tx.tenant.id,
      made.map((v) => v.workspace),
      made.map((v) => v.id),
      made.map((v) => v.part),
      made.map((v) => v.model),
      made.map((v) => v.hash),
      made.map((v) => v.given),
      Buffer.concat(sealed),
      starts,
      sealed.map(({ length }) => length),
    ],
  );
}

export function insertPending(tx: LedgerWrite, pending: PendingVector[]): void {
  if (pending.length === 0) return;
  tx.send(
    `INSERT INTO pending_vectors (tenant_id, workspace_id, memory_id, part, model)
     SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[]) ON CONFLICT DO NOTHING`,
    [
      tx.tenant.id,
      pending.map((v) => v.workspace),
      pending.map((v) => v.id),
      pending.map((v) => v.part),
      pending.map((v) => v.model),
    ],
  );
}
