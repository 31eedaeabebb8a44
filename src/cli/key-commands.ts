import { Option, type Command } from 'commander';
import { keyId, tenantRef, valueOrStdin, wholeNumber, words, workspaceRef } from './arguments.js';
import { CommandFailed, EXIT } from './command-failed.js';
import type { LociApi } from './loci-api.js';
import type { KeyReply, ListReply, RotatedKeyReply } from './replies.js';
import type { Session } from './session.js';
import { facts, minute, type Column } from './table.js';

/** Whose keys: a tenant's, for its operator; without one those of the workspace that the tenant's own key manages. */
interface Whose {
  tenant?: string;
  workspace?: string;
  json?: true;
}

interface CreateOptions extends Whose {
  name?: string;
  scopes?: string[];
  role?: string;
  environment?: string;
  rateLimit?: number;
  expires?: string;
  token?: string;
}

const PAGE = 200;

export function addKeyCommands(program: Command, session: Session): void {
  const key = program
    .command('key')
    .description(
      "Make, list, revoke and rotate keys: a tenant's with the admin token and --tenant, else a workspace's with LOCI_API_KEY",
    );

  const of = (name: string, description: string): Command =>
    key
      .command(name)
      .description(description)
      .option('--tenant <tenant>', 'its slug or UUID; absent: the tenant of LOCI_API_KEY', tenantRef)
      .option('--json', "print the API's JSON");
  const inWorkspace = (command: Command): Command =>
    command.addOption(
      new Option('--workspace <workspace>', "its UUID or slug (default: the tenant's default one)")
        .argParser(workspaceRef)
        .conflicts('tenant'),
    );

  of('create', 'Make a key; it is shown this once')
    .option('--name <name>', 'what it is for')
    .option('--scopes <scopes>', 'memory:read, memory:write, memory, search, chat, ingest, manage', words)
    .option(
      '--workspace <workspace>',
      'the one workspace that it opens; with --tenant its UUID (default: as its scopes allow)',
      workspaceRef,
    )
    .option('--role <role>', 'tenant_admin, tenant_user, tenant_viewer or service_account')
    .option('--environment <environment>', 'live or test')
    .option('--rate-limit <requests>', 'requests a minute', wholeNumber)
    .option('--expires <time>', 'until when it opens anything: 2027-01-01T00:00:00Z')
    .option('--token <token>', 'a token that the tenant has already; - reads it from stdin; with --tenant')
    .action(async (options: CreateOptions) => {
      if (options.token !== undefined && options.tenant === undefined) {
        throw new CommandFailed(EXIT.usage, 'Only an operator brings a token along: name the --tenant.');
      }
      const { api, path } = await keysOf(session, options);
      const reply = await api.post<KeyReply>(path, {
        name: options.name,
        scopes: options.scopes,
        workspace_id: options.tenant === undefined ? undefined : options.workspace,
        role: options.role,
        environment: options.environment,
        rate_limit_per_minute: options.rateLimit,
        expires_at: options.expires,
        api_token: options.token === undefined ? undefined : await valueOrStdin(options.token),
      });
      session.show(reply, options.json === true, createdKey);
    });

  inWorkspace(of('list', 'List keys, newest first; never the keys themselves')).action(
    async (options: Whose) => {
      const { api, path } = await keysOf(session, options);
      const reply = await api.get<ListReply<KeyReply>>(path, { limit: PAGE });
      const keys = [...reply.body.data];
      for (let cursor = reply.body.next_cursor; cursor !== null;) {
        const { body } = await api.get<ListReply<KeyReply>>(path, { limit: PAGE, cursor });
        keys.push(...body.data);
        cursor = body.next_cursor;
      }
      const text = keys.length === reply.body.data.length ? reply.text : listed(keys);
      session.show({ ...reply, text }, options.json === true, () => session.table(keys, LISTED, 'No keys.'));
    },
  );

  inWorkspace(of('revoke', 'Refuse a key from now on'))
    .argument('<id>', "the key's id", keyId)
    .action(async (id: string, options: Whose) => {
      const { api, path } = await keysOf(session, options);
      const reply = await api.delete<{ id: string }>(`${path}/${id}`);
      session.show(reply, options.json === true, (body) => `${body.id} is revoked.\n`);
    });

  inWorkspace(of('rotate', 'Make a key that takes over from another; it is shown this once'))
    .argument('<id>', "the other key's id", keyId)
    .option('--overlap <seconds>', 'how long the other one goes on (default: 0)', wholeNumber)
    .action(async (id: string, options: Whose & { overlap?: number }) => {
      const { api, path } = await keysOf(session, options);
      const order = { overlap_seconds: options.overlap };
      const reply = await api.post<RotatedKeyReply>(`${path}/${id}/rotate`, order);
      session.show(
        reply,
        options.json === true,
        (body) =>
          `${createdKey(body)}${body.replaces.id} opens what it opened until ${body.replaces.valid_until}.\n`,
      );
    });
}

/** Where those keys are, and who asks. Throws `CommandFailed`. */
async function keysOf(
  session: Session,
  { tenant, workspace }: Whose,
): Promise<{ api: LociApi; path: string }> {
  if (tenant !== undefined) return { api: session.operator(), path: `/admin/tenants/${tenant}/keys` };
  const api = session.tenant();
  const named =
    workspace ?? (await api.get<{ workspace_id: string }>('/v1/tenants/current')).body.workspace_id;
  return { api, path: `/v1/workspaces/${named}/api-keys` };
}

/** As one page of the API's would be. */
function listed(data: KeyReply[]): string {
  return JSON.stringify({ data, next_cursor: null });
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

function stateOf({ is_active, revoked_at, rotated_to }: KeyReply): string {
  if (is_active) return rotated_to === null ? 'active' : 'rotated';
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
