import type { Command } from 'commander';
import { fraction, valueOrStdin, wholeNumber, words } from './arguments.js';
import type { RecallReply, StoredMemoryReply } from './replies.js';
import type { Session } from './session.js';
import { minute, type Column } from './table.js';

interface RecallOptions {
  limit?: number;
  tags?: string[];
  workspace?: string;
  json?: true;
}

interface StoreOptions {
  type?: string;
  tags?: string[];
  importance?: number;
  session?: string;
  workspace?: string;
  json?: true;
}

/** A first try with a tenant's key. */
export function addMemoryCommands(program: Command, session: Session): void {
  program
    .command('store')
    .description("Store a memory with a tenant's key")
    .argument('<content>', 'what to remember; - reads it from stdin')
    .option('--type <type>', 'Preference, Decision, …')
    .option('--tags <tags>', 'separated by commas', words)
    .option('--importance <importance>', '0 to 1', fraction)
    .option('--session <id>', 'the conversation it belongs to')
    .option('--workspace <workspace>', 'UUID or slug, for a key that reaches more than one')
    .option('--json', "print the API's JSON")
    .action(async (content: string, options: StoreOptions) => {
      const reply = await session.tenant().post<StoredMemoryReply>('/memory', {
        content: await valueOrStdin(content),
        type: options.type,
        tags: options.tags,
        importance: options.importance,
        session_id: options.session,
        workspace_id: options.workspace,
      });
      session.show(reply, options.json === true, stored);
    });

  program
    .command('recall')
    .description("Ask what is remembered, with a tenant's key")
    .argument('<query>', 'the question, in words')
    .option('--limit <limit>', 'at most so many memories (default: 10)', wholeNumber)
    .option('--tags <tags>', 'only memories with one of these, separated by commas', words)
    .option('--workspace <workspace>', 'UUID or slug, for a key that reaches more than one')
    .option('--json', "print the API's JSON")
    .action(async (query: string, options: RecallOptions) => {
      // As a body: an address ends in logs.
      const reply = await session.tenant().post<RecallReply>('/recall', {
        query,
        limit: options.limit,
        tags: options.tags,
        workspace_id: options.workspace,
      });
      session.show(reply, options.json === true, ({ results, degraded }) => {
        const found = session.table(results, RESULTS, 'Nothing is remembered about that.');
        return degraded === undefined ? found : `${found}\nWithout ${degraded.join(', ')}: that is away.\n`;
      });
    });
}

type Result = RecallReply['results'][number];

const RESULTS: Column<Result>[] = [
  { title: 'SCORE', of: ({ score }) => score.toFixed(2) },
  { title: 'ID', of: ({ id }) => id },
  { title: 'TYPE', of: ({ memory }) => memory.type },
  { title: 'WHEN', of: ({ memory }) => minute(memory.timestamp) },
  { title: 'CONTENT', of: ({ memory }) => memory.content },
];

function stored({ memory_id, tenant_id, created, indexed }: StoredMemoryReply): string {
  if (!created) return `${tenant_id} had this memory already: ${memory_id}\n`;
  return `${memory_id} is stored for ${tenant_id}${indexed ? '' : ', and can be recalled soon'}.\n`;
}
