import type { Command } from 'commander';
import { tenantRef, valueOrStdin } from './arguments.js';
import { CommandFailed, EXIT } from './command-failed.js';
import type {
  DeletedTenantReply,
  ListedTenantReply,
  ProvisionedTenantReply,
  TenantReply,
  TenantStatsReply,
} from './replies.js';
import type { Session } from './session.js';
import { facts, minute, type Column } from './table.js';
import { allTenants } from './tenant-list.js';
import { addTenantMove } from './tenant-move.js';

interface CreateOptions {
  name?: string;
  slug?: string;
  plan?: string;
  adminEmail?: string;
  placement?: string;
  token?: string;
  json?: true;
}

export function addTenantCommands(program: Command, session: Session): void {
  const tenant = program.command('tenant').description('Provision tenants and see them through their life');

  tenant
    .command('create')
    .description(
      'Make a tenant with its default workspace, agent, key and policies; the key is shown this once',
    )
    .option('--name <name>', 'what people call it')
    .option('--slug <slug>', 'its name in addresses, for good (default: made from --name)')
    .option('--plan <plan>', "free, starter, pro or enterprise (default: the installation's)")
    .option('--admin-email <email>', 'who administers it')
    .option('--placement <placement>', 'where its projections are held (default: shared)')
    .option('--token <token>', 'a token that it has already and that becomes its key; - reads it from stdin')
    .option('--json', "print the API's JSON")
    .action(async (options: CreateOptions) => {
      if (options.name === undefined && options.slug === undefined) {
        throw new CommandFailed(EXIT.usage, 'A tenant needs a --name, a --slug, or both.');
      }
      const reply = await session.operator().post<ProvisionedTenantReply>('/admin/tenants', {
        name: options.name,
        tenant_id: options.slug,
        plan_tier: options.plan,
        admin_email: options.adminEmail,
        placement: options.placement,
        api_token: options.token === undefined ? undefined : await valueOrStdin(options.token),
      });
      session.show(reply, options.json === true, createdTenant);
    });

  tenant
    .command('list')
    .description('List all tenants, newest first')
    .option('--state <state>', 'only those that are active, suspended or deleted')
    .option('--stats', 'with what each of them holds')
    .option('--json', "print the API's JSON, all pages as one")
    .action(async ({ json, ...listing }: { state?: string; stats?: true; json?: true }) => {
      const list = await allTenants(session.operator(), listing);
      const columns = listing.stats === true ? [...LISTED, ...LISTED_STATS] : LISTED;
      session.print(
        json === true ? `${JSON.stringify(list)}\n` : session.table(list.data, columns, 'No tenants.'),
      );
    });

  const one = (name: string, description: string): Command =>
    tenant
      .command(name)
      .description(description)
      .argument('<tenant>', 'its slug or UUID', tenantRef)
      .option('--json', "print the API's JSON");

  one('show', 'Show a tenant').action(async (ref: string, { json }: { json?: true }) => {
    const reply = await session.operator().get<TenantReply>(`/admin/tenants/${ref}`);
    session.show(reply, json === true, shownTenant);
  });

  one('stats', 'Show what a tenant holds, and how far its projections are').action(
    async (ref: string, { json }: { json?: true }) => {
      const reply = await session.operator().get<TenantStatsReply>(`/admin/tenants/${ref}/stats`);
      session.show(reply, json === true, shownStats);
    },
  );

  one('suspend', 'Refuse every key of a tenant; nothing is deleted')
    .option('--reason <reason>', 'kept with the tenant and in the audit record')
    .action(async (ref: string, { json, reason }: { json?: true; reason?: string }) => {
      const reply = await session.operator().post<TenantReply>(`/admin/tenants/${ref}/suspend`, { reason });
      session.show(reply, json === true, stateOf);
    });

  one('resume', 'Let a suspended tenant go on').action(async (ref: string, { json }: { json?: true }) => {
    const reply = await session.operator().post<TenantReply>(`/admin/tenants/${ref}/resume`);
    session.show(reply, json === true, stateOf);
  });

  one('delete', 'Delete a tenant: restorable for 30 days, or with --purge erased for good')
    .option('--purge', 'erase everything it has, in every store; there is no way back')
    .option('--yes', 'purge without being asked to type its slug')
    .action(async (ref: string, { json, purge, yes }: { json?: true; purge?: true; yes?: true }) => {
      if (purge === true && yes !== true) await askBeforePurge(session, ref);
      const reply = await session.operator().delete<DeletedTenantReply>(`/admin/tenants/${ref}`, { purge });
      session.show(reply, json === true, deletedTenant);
    });

  one('restore', 'Bring a deleted tenant back').action(async (ref: string, { json }: { json?: true }) => {
    const reply = await session.operator().post<TenantReply>(`/admin/tenants/${ref}/restore`);
    session.show(reply, json === true, stateOf);
  });

  addTenantMove(one('move', 'Move a tenant to another placement while it serves'), session);
}

/** Rejects with `CommandFailed` unless its slug was typed. */
async function askBeforePurge(session: Session, ref: string): Promise<void> {
  if (!session.isAttended) {
    throw new CommandFailed(EXIT.usage, 'Purging is for good: without a terminal to ask at it needs --yes.');
  }
  const { body } = await session.operator().get<TenantReply>(`/admin/tenants/${ref}`);
  const question = `Everything of ${body.tenant_id} is erased for good. Type its slug to go on:`;
  if (await session.confirm(body.tenant_id, question)) return;
  throw new CommandFailed(EXIT.refused, 'That is not its slug: nothing was purged.');
}

const LISTED: Column<ListedTenantReply>[] = [
  { title: 'TENANT', of: ({ tenant_id }) => tenant_id },
  { title: 'NAME', of: ({ name }) => name },
  { title: 'PLAN', of: ({ plan_tier }) => plan_tier },
  { title: 'STATE', of: ({ state }) => state },
  { title: 'PLACEMENT', of: ({ placement }) => placement },
  { title: 'CREATED', of: ({ created_at }) => minute(created_at) },
];

const LISTED_STATS: Column<ListedTenantReply>[] = [
  { title: 'MEMORIES', of: ({ stats }) => stats?.memory_count ?? null },
  { title: 'RELATIONS', of: ({ stats }) => stats?.graph_relationships ?? null },
  { title: 'MB', of: ({ stats }) => stats?.storage_mb ?? null },
  { title: 'LAST ACTIVE', of: ({ stats }) => minute(stats?.last_active_at ?? null) },
];

function createdTenant(tenant: ProvisionedTenantReply): string {
  const { api_key: key } = tenant;
  const made = facts([
    ['tenant', tenant.tenant_id],
    ['id', tenant.id],
    ['name', tenant.name],
    ['plan', tenant.plan_tier],
    ['placement', tenant.placement],
    ['workspace', tenant.workspace_id],
    ['agent', tenant.agent_id],
    ...(key === undefined ? [] : [['key', key.key ?? `${key.key_prefix}…`] as const]),
    ['policies', `those of the plan ${tenant.plan_tier}, and retention without end`],
    ['  features', tenant.features.join(', ') || null],
    ...limitsOf(tenant).map(([name, limit]) => [`  ${name}`, limit] as const),
  ]);
  if (key === undefined)
    return `${made}\nIt was there already, made with the same values: its key is not shown again.\n`;
  return key.key === undefined ? made : `${made}\nThe key is not shown again: keep it now.\n`;
}

function limitsOf({ limits }: TenantReply): (readonly [string, number | string])[] {
  return Object.entries(limits).map(([name, limit]) => [name.replaceAll('_', ' '), limit ?? 'no limit']);
}

function shownTenant(tenant: TenantReply): string {
  return facts([
    ['tenant', tenant.tenant_id],
    ['id', tenant.id],
    ['name', tenant.name],
    ['plan', tenant.plan_tier],
    ['state', tenant.state],
    ...(tenant.suspended_reason === null ? [] : [['suspended for', tenant.suspended_reason] as const]),
    ...(tenant.deleted_at === null ? [] : [['deleted', minute(tenant.deleted_at)] as const]),
    ['placement', tenant.placement],
    ['workspace', tenant.workspace_id],
    ['agent', tenant.agent_id],
    ['features', tenant.features.join(', ') || null],
    ['domain', tenant.domain],
    ['platform', tenant.platform],
    ['contact', tenant.contact_email],
    ['created', minute(tenant.created_at)],
    ...limitsOf(tenant),
  ]);
}

function shownStats(stats: TenantStatsReply): string {
  return facts([
    ['tenant', stats.tenant_id],
    ['state', stats.state],
    ['placement', stats.placement],
    ['memories', stats.memory_count],
    ['vector points', stats.vector_points],
    ['graph nodes', stats.graph_nodes],
    ['graph relationships', stats.graph_relationships],
    ['graph entities', stats.graph_entities],
    ['documents', stats.document_count],
    ['chunks', stats.chunk_count],
    ['workspaces', stats.workspace_count],
    ['agents', stats.agent_count],
    ['storage', `${stats.storage_mb} MB`],
    ['revision', stats.revision],
    ['projected', `vectors ${stats.watermarks.vectors}, graph ${stats.watermarks.graph}`],
    ['last active', minute(stats.last_active_at)],
    ['as of', minute(stats.as_of)],
  ]);
}

function stateOf(tenant: TenantReply): string {
  return `${tenant.tenant_id} is ${tenant.state}.\n`;
}

function deletedTenant({ tenant_id, restorable_until, stores, verified }: DeletedTenantReply): string {
  if (stores === undefined) {
    return `${tenant_id} is deleted, and can be restored until ${minute(restorable_until ?? null)}.\n`;
  }
  const rows = [
    ...Object.entries(stores.ledger),
    ['vectors', stores.vectors],
    ['graph', stores.graph],
  ] as const;
  const counted = facts(
    rows.map(([store, { removed, remaining }]) => [
      store,
      `${removed} removed, ${remaining === 0 ? 'none' : remaining} left`,
    ]),
  );
  const end = verified === true ? 'Counted again: nothing is left.' : 'Something is left: purge it again.';
  return `${tenant_id} is purged.\n\n${counted}\n${end}\n`;
}
