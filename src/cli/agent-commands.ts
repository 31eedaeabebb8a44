import type { Command } from 'commander';
import { allPages } from './all-pages.js';
import { slugOf, temperature, tenantRef, valueOrStdin, words, workspaceRef } from './arguments.js';
import { CommandFailed, EXIT } from './command-failed.js';
import type { AgentReply } from './replies.js';
import type { Session } from './session.js';
import { facts, minute, type Column } from './table.js';

interface CreateOptions {
  tenant?: string;
  workspace: string;
  name?: string;
  slug?: string;
  template?: string;
  description?: string;
  prompt?: string;
  provider?: string;
  model?: string;
  temperature?: number;
  tools?: string[];
  type?: string;
  private?: true;
  json?: true;
}

export function addAgentCommands(program: Command, session: Session): void {
  const agent = program.command('agent').description("Make and list the agents of a tenant's workspaces");

  const of = (name: string, description: string): Command =>
    agent
      .command(name)
      .description(description)
      .option('--tenant <tenant>', 'its slug or UUID (default: the tenant of LOCI_API_KEY)', tenantRef)
      .option('--json', "print the API's JSON");

  of('create', 'Make an agent, of its own or from a template')
    .option('--workspace <workspace>', 'its slug or UUID', workspaceRef, 'default')
    .option('--name <name>', "what people call it (default: the template's)")
    .option('--slug <slug>', 'its name in addresses (default: made from --name)')
    .option('--template <template>', 'support, documentation-expert, research-analyst or sales-assistant')
    .option('--description <text>', 'what it is for')
    .option('--prompt <text>', 'how it is to answer; - reads it from stdin')
    .option('--provider <provider>', 'whose model it asks')
    .option('--model <model>', "the model (default: the tenant's)")
    .option('--temperature <number>', 'from 0 to 2', temperature)
    .option('--tools <tools>', 'vector_search, hybrid_search, graph_search, memory_recall, …', words)
    .option('--type <type>', 'a word of your own')
    .option('--private', 'for its owner and administrators alone')
    .action(async (options: CreateOptions) => {
      const { template, name } = options;
      if (template === undefined && name === undefined) {
        throw new CommandFailed(EXIT.usage, 'An agent needs a --name or a --template.');
      }
      const agents = `/v1/workspaces/${options.workspace}/agents`;
      const reply = await session
        .of(options.tenant)
        .post<AgentReply>(template === undefined ? agents : `${agents}/from-template`, {
          template,
          name,
          slug: options.slug ?? (name === undefined ? undefined : slugOf(name)),
          description: options.description,
          system_prompt: options.prompt === undefined ? undefined : await valueOrStdin(options.prompt),
          model_provider: options.provider,
          model_name: options.model,
          temperature: options.temperature,
          enabled_tools: options.tools,
          agent_type: options.type,
          is_public: options.private === true ? false : undefined,
        });
      session.show(reply, options.json === true, madeAgent);
    });

  of('list', 'List agents, newest first')
    .option('--workspace <workspace>', 'its slug or UUID (default: all)', workspaceRef)
    .action(async ({ tenant, workspace, json }: { tenant?: string; workspace?: string; json?: true }) => {
      const path = workspace === undefined ? '/v1/agents' : `/v1/workspaces/${workspace}/agents`;
      const list = await allPages<AgentReply>(session.of(tenant), path);
      session.print(
        json === true ? `${JSON.stringify(list)}\n` : session.table(list.data, LISTED, 'No agents.'),
      );
    });
}

const LISTED: Column<AgentReply>[] = [
  { title: 'AGENT', of: ({ slug }) => slug },
  { title: 'ID', of: ({ id }) => id },
  { title: 'WORKSPACE', of: ({ workspace_id }) => workspace_id },
  { title: 'STATUS', of: ({ status }) => status },
  { title: 'FOR', of: ({ is_public }) => (is_public ? 'everybody' : 'its owner') },
  { title: 'TYPE', of: ({ agent_type }) => agent_type },
  { title: 'CREATED', of: ({ created_at }) => minute(created_at) },
  { title: 'NAME', of: ({ name }) => name },
];

function madeAgent(agent: AgentReply): string {
  return facts([
    ['agent', agent.slug],
    ['id', agent.id],
    ['name', agent.name],
    ['workspace', agent.workspace_id],
    ['model', agent.model_name],
    ['temperature', agent.temperature],
    ['tools', agent.enabled_tools.join(', ') || null],
    ['for', agent.is_public ? 'everybody of the tenant' : 'its owner and administrators'],
  ]);
}
