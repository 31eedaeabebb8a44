import { randomBytes, randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { systemCause } from '../../src/ledger/cause.js';
import { entityKey, sealEntityName, sealSummary } from '../../src/ledger/entity-names.js';
import { Ledger } from '../../src/ledger/ledger.js';
import { setAsideMemories } from '../../src/modules/memory/memory-removal.js';
import { TenantSecrets } from '../../src/ledger/tenant-secrets.js';
import { UnindexableRecord } from '../../src/ledger/unindexable-record.js';
import { TenantDirectory } from '../../src/tenancy/tenant-directory.js';
import type { Tenant } from '../../src/tenancy/principal.js';
import type { TenantId, WorkspaceId } from '../../src/tenancy/tenant.js';
import type { Loci, TestTenant } from '../support/loci.js';
import { testPostgres } from '../support/postgres.js';

/** One workspace with something in every table that holds what tenants stored. */
export interface FurnishedWorkspace {
  id: WorkspaceId;
  memories: string[];
}

/** A tenant with two workspaces, both furnished. */
export interface FurnishedTenant {
  caller: TestTenant;
  tenant: Tenant;
  main: FurnishedWorkspace;
  sibling: FurnishedWorkspace;
}

/** `words` go into every field that is sealed, so that a scan can look for them. */
export async function furnishedTenant(
  loci: Loci,
  words: string,
  order: Record<string, unknown> = {},
): Promise<FurnishedTenant> {
  const caller = await loci.tenant({
    ...order,
    api_credentials: { token: words },
    admin_email: 'admin@palace.example',
  });
  const issuer = { issuer: 'https://palace.example', audience: caller.slug, client_secret: words };
  const oidc = await caller.call('PUT', '/v1/tenants/current/oidc', issuer);
  if (oidc.status !== 200) throw new Error(`No issuer: ${oidc.status} ${JSON.stringify(oidc.body)}`);
  const tenant = await tenantOf(loci, caller);
  const sibling = randomUUID() as WorkspaceId;
  await loci.server.stores.database.asSystem((manager) =>
    manager.query(
      `INSERT INTO workspaces (tenant_id, id, slug, name) VALUES ($1, $2, 'sibling', 'Sibling')`,
      [tenant.id, sibling],
    ),
  );
  await loci.server.stores.database.asSystem((manager) =>
    manager.query(
      `INSERT INTO agents (tenant_id, workspace_id, id, slug, name) VALUES ($1, $2, $3, 'sibling', 'Sibling')`,
      [tenant.id, sibling, randomUUID()],
    ),
  );
  await loci.server.stores.database.asSystem((manager) =>
    manager.query(
      `INSERT INTO audit_checkpoints (tenant_id, reason, position, hash, signature) VALUES ($1, 'retention', 0, '', '')`,
      [tenant.id],
    ),
  );
  await caller.call('PUT', '/v1/tenants/current/retention-policies', { audit_days: 365 });
  await caller.call('PUT', '/v1/tenants/current/llm-profile', {
    base_url: 'https://models.example/v1',
    api_key: words,
  });
  await caller.post('/v1/tenants/current/triggers', {
    name: words,
    when: { event: 'memory.deleted', workspace_id: sibling },
    then: [{ webhook: { url: 'https://hooks.example/furniture' } }],
  });
  for (const workspace of [tenant.defaultWorkspace, sibling]) {
    const order = { name: 'furniture', workspace_id: workspace, scopes: ['memory'] };
    const { status } = await loci.operator.post(`/admin/tenants/${caller.slug}/keys`, order);
    if (status !== 201) throw new Error(`No key for the workspace: ${status}`);
  }
  return {
    caller,
    tenant,
    main: await furnish(loci, caller, tenant, tenant.defaultWorkspace, words),
    sibling: await furnish(loci, caller, tenant, sibling, words),
  };
}

export async function tenantOf(loci: Loci, caller: TestTenant): Promise<Tenant> {
  const tenant = await loci.server.app.get(TenantDirectory).tenantById(caller.id as TenantId);
  if (tenant === null) throw new Error(`${caller.slug} is not in the ledger`);
  return tenant;
}

/** Sees everything: for looking at what really lies in the tables. */
export async function asSuperuser<T>(loci: Loci, look: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ ...testPostgres().admin, database: loci.database.database });
  await client.connect();
  try {
    return await look(client);
  } finally {
    await client.end();
  }
}

async function furnish(
  loci: Loci,
  caller: TestTenant,
  tenant: Tenant,
  workspace: WorkspaceId,
  words: string,
): Promise<FurnishedWorkspace> {
  const memories: string[] = [];
  for (const place of ['first', 'second', 'third']) {
    const { status, body } = await caller.post<{ memory_id: string }>(
      '/memory',
      {
        workspace_id: workspace,
        content: `${words} ${place} ${randomBytes(4).toString('hex')}`,
        metadata: { note: words },
        source: words,
        session_id: 'session',
      },
      { 'Idempotency-Key': `${workspace}-${place}` },
    );
    if (status !== 201) throw new Error(`Not stored: ${status} ${JSON.stringify(body)}`);
    memories.push(body.memory_id);
  }
  const [first, second, third] = memories;
  await caller.post('/associate', {
    workspace_id: workspace,
    memory1_id: first,
    memory2_id: second,
    type: 'LEADS_TO',
    strength: 0.5,
  });
  await caller.post('/associate', {
    workspace_id: workspace,
    memory1_id: first,
    memory2_id: third,
    type: 'RELATES_TO',
    strength: 0.5,
  });
  // After the edit the old text lies in the history alone.
  await caller.patch(`/memory/${second}`, { workspace_id: workspace, content: `${words} edited` });
  await caller.post('/consolidate', { workspace_id: workspace, mode: 'decay', dry_run: true });
  const ledger = loci.server.app.get(Ledger);
  await ledger.write(tenant, workspace, systemCause('furnishing'), async (tx) => {
    await tx.rows(
      `INSERT INTO pending_vectors (tenant_id, workspace_id, memory_id, part, model) VALUES ($1, $2, $3, 'alone', 'none:3')`,
      [tenant.id, workspace, first],
    );
    await tx.rows(
      `INSERT INTO memory_stats (tenant_id, workspace_id, memory_id, access_count) VALUES ($1, $2, $3, 1) ON CONFLICT DO NOTHING`,
      [tenant.id, workspace, first],
    );
    await tx.rows(
      `INSERT INTO enrichments (tenant_id, workspace_id, memory_id, hash, compared, summary) VALUES ($1, $2, $3, '', true, $4)`,
      [tenant.id, workspace, first, sealSummary(tenant.key, workspace, first ?? '', words)],
    );
    const entity = entityKey(tenant.key, 'people', 'furniture');
    await tx.rows(
      `INSERT INTO mentions (tenant_id, workspace_id, memory_id, kind, found, entity, name, hash) VALUES ($1, $2, $3, 'people', $4, $4, $5, '')`,
      [
        tenant.id,
        workspace,
        first,
        entity,
        sealEntityName(tenant.key, workspace, first ?? '', entity, words),
      ],
    );
    await tx.rows(
      `INSERT INTO entity_aliases (tenant_id, workspace_id, found, kind, entity) VALUES ($1, $2, $3, 'people', $3)`,
      [tenant.id, workspace, entity],
    );
    await tx.rows(
      `INSERT INTO followers (tenant_id, name, revision) VALUES ($1, 'furnishing', 0) ON CONFLICT DO NOTHING`,
      [tenant.id],
    );
    await tx.rows(
      `INSERT INTO derived_memories (tenant_id, workspace_id, memory_id, source_id, quoted) VALUES ($1, $2, $3, $4, false)`,
      [tenant.id, workspace, first, second],
    );
    await setAsideMemories(tx, workspace, [third ?? ''], { reason: 'retention', at: new Date(), models: [] });
    await tx.rows(
      `INSERT INTO trigger_deliveries (tenant_id, workspace_id, id, trigger_id, event, item, revision, state)
       VALUES ($1, $2, gen_random_uuid(), gen_random_uuid(), 'memory.created', $3, 1, 'delivered')`,
      [tenant.id, workspace, first],
    );
    await tx.rows(
      `INSERT INTO trigger_writes (tenant_id, workspace_id, item, revision, trigger_id)
       VALUES ($1, $2, $3, $4, gen_random_uuid())`,
      [tenant.id, workspace, first, tx.revisionBefore + 1_000_000],
    );
    tx.record('furnishing', workspace, null, { before: words });
    loci.server.app.get(TenantSecrets).put(tx, 'llm/furniture', words);
  });
  await loci.server.app
    .get(UnindexableRecord)
    .note(tenant, 'memory', 'furnishing', { workspace, id: first ?? '' }, new Error('only furniture'));
  return { id: workspace, memories: memories.slice(0, 2) };
}
