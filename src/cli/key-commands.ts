import type { Command } from 'commander';
import { keyId, tenantRef, valueOrStdin, wholeNumber, words } from './arguments.js';
import type { KeyReply, ListReply } from './replies.js';
import type { Session } from './session.js';
import { facts, minute, type Column } from './table.js';

interface CreateOptions {
  tenant: string;
  name?: string;
  scopes?: string[];
  workspace?: string;
  role?: string;
  environment?: string;
  rateLimit?: number;
  expires?: string;
  token?: string;
  json?: true;
}

export function addKeyCommands(program: Command, session: Session): void {
  const key = program.command('key').description("Make, list and revoke a tenant's keys");

  const of = (name: string, description: string): Command =>
    key
      .command(name)
      .description(description)
      .requiredOption('--tenant <tenant>', 'its slug or UUID', tenantRef)
      .option('--json', "print the API's JSON");

  of('create', 'Make a key; it is shown this once')
    .option('--name <name>', 'what it is for')
    .option('--scopes <scopes>', 'memory:read, memory:write, memory, search, chat, ingest, manage', words)
    .option('--workspace <uuid>', 'the one workspace that it opens (default: as its scopes allow)')
    .option('--role <role>', 'tenant_admin, tenant_user, tenant_viewer or service_account')
    .option('--environment <environment>', 'live or test')
    .option('--rate-limit <requests>', 'requests a minute', wholeNumber)
    .option('--expires <time>', 'until when it opens anything: 2027-01-01T00:00:00Z')
    .option('--token <token>', 'a token that the tenant has already; - reads it from stdin')
    .action(async (options: CreateOptions) => {
      const reply = await session.operator().post<KeyReply>(`/admin/tenants/${options.tenant}/keys`, {
        name: options.name,
        scopes: options.scopes,
        workspace_id: options.workspace,
        role: options.role,
        environment: options.environment,
        rate_limit_per_minute: options.rateLimit,
        expires_at: options.expires,
        api_token: options.token === undefined ? undefined : await valueOrStdin(options.token),
      });
      session.show(reply, options.json === true, createdKey);
    });

  of('list', "List a tenant's keys, newest first; never the keys themselves").action(
    async ({ tenant, json }: { tenant: string; json?: true }) => {
      const reply = await session.operator().get<ListReply<KeyReply>>(`/admin/tenants/${tenant}/keys`);
      session.show(reply, json === true, ({ data }) => session.table(data, LISTED, 'No keys.'));
    },
  );

  of('revoke', 'Refuse a key from now on')
    .argument('<id>', "the key's id", keyId)
    .action(async (id: string, { tenant, json }: { tenant: string; json?: true }) => {
      const reply = await session.operator().delete<{ id: string }>(`/admin/tenants/${tenant}/keys/${id}`);
      session.show(reply, json === true, (body) => `${body.id} is revoked.\n`);
    });
}

const LISTED: Column<KeyReply>[] = [
  { title: 'ID', of: ({ id }) => id },
  { title: 'KEY', of: ({ key_prefix }) => `${key_prefix}…` },
  { title: 'STATE', of: stateOf },
  { title: 'REACHES', of: ({ workspace_id }) => (workspace_id === null ? 'tenant' : 'workspace') },
  { title: 'CREATED', of: ({ created_at }) => minute(created_at) },
  { title: 'LAST USED', of: ({ last_used_at }) => minute(last_used_at) },
  { title: 'NAME', of: ({ name }) => name },
  { title: 'SCOPES', of: ({ scopes }) => scopes.join(',') },
];

function stateOf({ is_active, revoked_at }: KeyReply): string {
  if (is_active) return 'active';
  return revoked_at === null ? 'expired' : 'revoked';
}

function createdKey(key: KeyReply): string {
  const made = facts([
    ['id', key.id],
    ['name', key.name],
    ['key', key.key ?? `${key.key_prefix}…`],
    ['reaches', key.workspace_id === null ? 'the whole tenant' : `workspace ${key.workspace_id}`],
    ['scopes', key.scopes.join(', ')],
    ['expires', minute(key.expires_at) ?? 'never'],
  ]);
  return key.key === undefined ? made : `${made}\nThe key is not shown again: keep it now.\n`;
}
