import { createClient, ErrorReply } from '@redis/client';
import { CommandFailed, EXIT } from '../command-failed.js';
import { fieldValue } from './field-values.js';
import { ImportSource, noCounts, type ImportRecord, type Kind, type Survey } from './import-source.js';

const PAGE = 500;
const ANSWERS_WITHIN_MS = 30_000;

/** What of AutoMem's `Memory` nodes a memory of Loci has; the rest it works out for itself. */
const MEMORY_FIELDS = [
  'id',
  'content',
  'type',
  'tags',
  'importance',
  'confidence',
  'metadata',
  'timestamp',
  't_valid',
  't_invalid',
] as const;

/** What an association may say, in AutoMem and in Loci. */
const RELATION_FIELDS = [
  'strength',
  'reason',
  'context',
  'resolution',
  'pattern_type',
  'transformation',
  'role',
  'timestamp',
  'confidence',
  'observations',
] as const;

/** What AutoMem's users author. Its other relations are what it worked out from the memories. */
const AUTHORED = `['RELATES_TO','LEADS_TO','OCCURRED_BEFORE','PREFERS_OVER','EXEMPLIFIES','CONTRADICTS','REINFORCES','INVALIDATED_BY','EVOLVED_INTO','DERIVED_FROM','PART_OF']`;

const COUNT_MEMORIES = 'MATCH (m:Memory) RETURN count(m)';
const COUNT_RELATIONS = `MATCH (:Memory)-[r]->(:Memory) RETURN type(r) IN ${AUTHORED}, count(r)`;
/** A page after a node's own number: what is written meanwhile moves nothing. */
const memoriesAfter = (last: number): string =>
  `MATCH (m:Memory) WHERE ID(m) > ${last}
   RETURN ID(m), ${MEMORY_FIELDS.map((field) => `m.${field}`).join(', ')} ORDER BY ID(m) LIMIT ${PAGE}`;
const relationsAfter = (last: number): string =>
  `MATCH (a:Memory)-[r]->(b:Memory) WHERE ID(r) > ${last} AND type(r) IN ${AUTHORED}
   RETURN ID(r), a.id, b.id, type(r), ${RELATION_FIELDS.map((field) => `r.${field}`).join(', ')} ORDER BY ID(r) LIMIT ${PAGE}`;

/** AutoMem without tenants: one FalkorDB graph with a `Memory` node for each memory, and relations between them. */
export class AutoMemSource extends ImportSource {
  private constructor(
    private readonly client: ReturnType<typeof clientOf>,
    private readonly graph: string,
  ) {
    super();
  }

  static async open(url: string, graph: string): Promise<AutoMemSource> {
    const client = clientOf(url);
    client.on('error', () => undefined);
    const source = new AutoMemSource(client, graph);
    try {
      await client.connect();
      // A query would make the graph where it is not there.
      if ((await client.exists(graph)) === 0) {
        throw new CommandFailed(EXIT.usage, `That FalkorDB has no graph ${graph}.`, '--graph names another.');
      }
      return source;
    } catch (error) {
      await source.close();
      throw error instanceof CommandFailed ? error : unreadable(error);
    }
  }

  async survey(): Promise<Survey> {
    const [[memories] = []] = await this.rows(COUNT_MEMORIES);
    let [authored, deduced] = [0, 0];
    for (const [isAuthored, count] of await this.rows(COUNT_RELATIONS)) {
      if (isAuthored === true) authored += Number(count);
      else deduced += Number(count);
    }
    return {
      counts: { ...noCounts(), memory: Number(memories), relation: authored },
      refused: [],
      notes:
        deduced === 0
          ? []
          : [
              `${deduced} relations that AutoMem worked out by itself (such as SIMILAR_TO) stay where they are.`,
            ],
    };
  }

  async *records(kind: Kind): AsyncIterable<ImportRecord> {
    if (kind === 'memory') yield* this.memories();
    if (kind === 'relation') yield* this.relations();
  }

  close(): Promise<void> {
    if (this.client.isOpen) this.client.destroy();
    return Promise.resolve();
  }

  private async *memories(): AsyncIterable<ImportRecord> {
    for await (const [, ...values] of this.pages(memoriesAfter)) {
      const fields: Record<string, unknown> = {};
      MEMORY_FIELDS.forEach((field, at) => {
        const value = fieldValue(field, values[at]);
        // AutoMem writes an empty text where there is no such time.
        if (value !== undefined && value !== '') fields[field] = value;
      });
      yield { kind: 'memory', place: `memory ${String(fields['id'])}`, fields };
    }
  }

  private async *relations(): AsyncIterable<ImportRecord> {
    for await (const [, from, to, type, ...said] of this.pages(relationsAfter)) {
      const fields: Record<string, unknown> = { memory1_id: from, memory2_id: to, type };
      for (const [at, field] of RELATION_FIELDS.entries()) {
        const value = fieldValue(field, said[at]);
        if (value !== undefined && value !== '') fields[field] = value;
      }
      yield { kind: 'relation', place: `relation ${String(from)} ${String(type)} ${String(to)}`, fields };
    }
  }

  /** Rows whose first column is what the next page goes on after. */
  private async *pages(query: (last: number) => string): AsyncIterable<unknown[]> {
    for (let last = -1; ;) {
      const rows = await this.rows(query(last));
      yield* rows;
      if (rows.length < PAGE) return;
      last = Number(rows.at(-1)?.[0]);
    }
  }

  private async rows(cypher: string): Promise<unknown[][]> {
    try {
      // Compact, because the reply for people shows lists as text, and `toJSON()` does not escape (FalkorDB 4.16).
      const reply = await this.client.sendCommand(['GRAPH.RO_QUERY', this.graph, cypher, '--compact']);
      return (reply as unknown as [unknown, Cell[][]])[1].map((row) => row.map(valueOf));
    } catch (error) {
      throw unreadable(error);
    }
  }
}

/** A value as FalkorDB's compact replies have it: what it is, then how it is written. */
type Cell = [type: number, value: unknown];
const [INTEGER, BOOLEAN, DOUBLE, ARRAY] = [3, 4, 5, 6];

function valueOf([type, value]: Cell): unknown {
  if (type === INTEGER || type === DOUBLE) return Number(value);
  if (type === BOOLEAN) return value === 'true';
  return type === ARRAY ? (value as Cell[]).map(valueOf) : value;
}

function clientOf(url: string) {
  return createClient({
    url: url.replace(/^falkor(s?):/, (_, secure: string) => `redis${secure}:`),
    socket: { connectTimeout: 10_000, reconnectStrategy: false },
    commandOptions: { timeout: ANSWERS_WITHIN_MS },
    disableClientInfo: true,
  });
}

function unreadable(error: unknown): CommandFailed {
  const said =
    error instanceof ErrorReply ? error.message : ((error as { code?: string }).code ?? String(error));
  return new CommandFailed(EXIT.away, `The graph that is brought over cannot be read: ${said}.`);
}
