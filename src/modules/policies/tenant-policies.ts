import type { LedgerRead } from '../../ledger/ledger.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';

export type PolicyKind = 'llm_profile' | 'cost_budget';

/** What the tenant of this transaction has decided; null where it has decided nothing. */
export async function readPolicy<Policy>(
  tx: LedgerRead | LedgerWrite,
  kind: PolicyKind,
): Promise<Policy | null> {
  const [row] = await tx.rows<{ policy: Policy }>(
    'SELECT policy FROM tenant_policies WHERE tenant_id = $1 AND kind = $2',
    [tx.tenant.id, kind],
  );
  return row?.policy ?? null;
}

export function writePolicy(tx: LedgerWrite, kind: PolicyKind, policy: object): void {
  tx.send(
    `INSERT INTO tenant_policies (tenant_id, kind, policy) VALUES ($1, $2, $3)
     ON CONFLICT (tenant_id, kind) DO UPDATE SET policy = excluded.policy, updated_at = now()`,
    [tx.tenant.id, kind, JSON.stringify(policy)],
  );
}
