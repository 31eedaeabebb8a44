import type { LociApi } from '../loci-api.js';
import type { KeyReply, TenantReply } from '../replies.js';
import type { Session } from '../session.js';

/** Somebody who is gone for a week will not come back to this run. */
const KEY_LIVES_MS = 7 * 24 * 3_600_000;

interface CurrentTenantReply {
  tenant_id: string;
  workspace_id: string;
}

/** The tenant that records are brought into, and a key of it. */
export interface ImportTarget {
  tenant: string;
  defaultWorkspace: string;
  api: LociApi;
  /** Takes back what was made for the import. */
  release: () => Promise<void>;
}

/**
 * The tenant that was named or, where none was, the one of `LOCI_API_KEY` or the installation's default one. Operators
 * cannot write what tenants hold: for them a key is made, and revoked at the end. Rejects with `CommandFailed`.
 */
export async function importTarget(session: Session, named: string | undefined): Promise<ImportTarget> {
  if (named === undefined && session.hasKey) {
    const api = session.tenant();
    const { body } = await api.get<CurrentTenantReply>('/v1/tenants/current');
    return {
      tenant: body.tenant_id,
      defaultWorkspace: body.workspace_id,
      api,
      release: () => Promise.resolve(),
    };
  }
  const operator = session.operator();
  const { body: tenant } = await operator.get<TenantReply>(
    `/admin/tenants/${named ?? session.defaultTenant}`,
  );
  const keys = `/admin/tenants/${tenant.id}/keys`;
  const { body: made } = await operator.post<KeyReply>(keys, {
    name: 'loci import',
    scopes: ['memory:write', 'manage'],
    expires_at: new Date(Date.now() + KEY_LIVES_MS).toISOString(),
  });
  return {
    tenant: tenant.tenant_id,
    defaultWorkspace: tenant.workspace_id,
    api: session.withKey(made.key ?? ''),
    release: async () => {
      await operator.delete(`${keys}/${made.id}`);
    },
  };
}
