import type { Command } from 'commander';
import { allPages } from './all-pages.js';
import { slugOf, tenantRef } from './arguments.js';
import type { WorkspaceReply } from './replies.js';
import type { Session } from './session.js';
import { facts, minute, type Column } from './table.js';

interface CreateOptions {
  tenant?: string;
  name: string;
  slug?: string;
  description?: string;
  json?: true;
}

export function addWorkspaceCommands(program: Command, session: Session): void {
  const workspace = program.command('workspace').description("Make and list a tenant's workspaces");

  const of = (name: string, description: string): Command =>
    workspace
      .command(name)
      .description(description)
      .option('--tenant <tenant>', 'its slug or UUID (default: the tenant of LOCI_API_KEY)', tenantRef)
      .option('--json', "print the API's JSON");

  of('create', 'Make a workspace')
    .requiredOption('--name <name>', 'what people call it')
    .option('--slug <slug>', 'its name in addresses (default: made from --name)')
    .option('--description <text>', 'what it is for')
    .action(async ({ tenant, name, slug, description, json }: CreateOptions) => {
      const order = { name, slug: slug ?? slugOf(name), description };
      const reply = await session.of(tenant).post<WorkspaceReply>('/v1/workspaces', order);
      session.show(reply, json === true, madeWorkspace);
    });

  of('list', 'List workspaces, newest first').action(
    async ({ tenant, json }: { tenant?: string; json?: true }) => {
      const list = await allPages<WorkspaceReply>(session.of(tenant), '/v1/workspaces');
      session.print(
        json === true ? `${JSON.stringify(list)}\n` : session.table(list.data, LISTED, 'No workspaces.'),
      );
    },
  );
}

const LISTED: Column<WorkspaceReply>[] = [
  { title: 'WORKSPACE', of: ({ slug }) => slug },
  { title: 'ID', of: ({ id }) => id },
  { title: 'AGENTS', of: ({ agent_count }) => agent_count },
  { title: 'DOCUMENTS', of: ({ document_count }) => document_count },
  { title: 'REQUESTS THIS MONTH', of: ({ monthly_requests }) => monthly_requests },
  { title: 'CREATED', of: ({ created_at }) => minute(created_at) },
  { title: 'NAME', of: ({ name }) => name },
];

function madeWorkspace(workspace: WorkspaceReply): string {
  return facts([
    ['workspace', workspace.slug],
    ['id', workspace.id],
    ['name', workspace.name],
    ['tenant', workspace.organization_id],
  ]);
}
