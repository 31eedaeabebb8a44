import type { Digest } from '../digest.js';
import {
  GraphSpace,
  mentionsDigest,
  type GraphCount,
  type GraphItem,
  type HeldNode,
  type Link,
  type LinkOf,
  type LinksQuery,
  type MemoryNode,
  type Path,
  type PathQuery,
  type Related,
  type RelatedQuery,
  type RelationEdge,
  type Sharer,
  type SharersQuery,
} from '../graph-space.js';
import type { Applied, Batch, LedgerId, SpaceAddress, Watermark } from '../projection.js';
import { isIndexed, isMissingGraph } from './falkordb-errors.js';
import type { FalkorDbServer } from './falkordb-server.js';
import type { GraphCommands, QueryParameters, Value } from './graph-commands.js';
import {
  APPLY,
  BEGIN,
  BEGIN_ANEW,
  COUNT,
  INDEXES,
  LINKS,
  LIST,
  PATH,
  RELATED,
  SHARERS,
  WATERMARK,
} from './graph-queries.js';
import { digestOfRow, isNameable, isStorable, keyOf, ofKey, relationRow, rowsOf } from './graph-rows.js';

/** Milliseconds after which the server gives a query up. */
export interface QueryTimeouts {
  readMs: number;
  writeMs: number;
}

const NOTHING_APPLIED: Watermark = { ledger: null, revision: 0 };
/** Relations that are grouped at first: enough for any level that is not crossed by many ways to the same memories. */
const WAYS = (limit: number): number => Math.max(400, 4 * limit);
const EVERY_WAY = 2 ** 31 - 1;
/** Below what servers are commonly set to answer at most (10,000 rows). */
const PAGE = 5_000;

/** A tenant's graph in FalkorDB, reached as the tenant's own user. */
export class FalkorDbGraphSpace extends GraphSpace {
  constructor(
    private readonly server: FalkorDbServer,
    private readonly address: SpaceAddress,
    private readonly timeouts: QueryTimeouts,
  ) {
    super();
  }

  watermark(): Promise<Watermark> {
    return this.server.readAsTenant(this.address, async (graph) => this.watermarkIn(graph));
  }

  /**
   * One query is one transaction, which matches the watermark first. It is asked before that too, because a writing
   * query would make the graph that a moved watermark means is not there.
   */
  async apply({ ledger, from, to, items }: Batch<GraphItem>): Promise<Applied> {
    const rows = rowsOf(items);
    return this.server.asTenant(this.address, async (graph) => {
      const at = await this.watermarkIn(graph);
      if (at.ledger !== from.ledger || at.revision !== from.revision) return 'moved';
      const parameters: QueryParameters = { ledger, from: from.revision, to, ...rows };
      let text = APPLY;
      try {
        if (from.ledger === null) {
          await this.makeIndexes(graph);
          text = BEGIN;
        } else if (from.ledger !== ledger) {
          parameters['fromLedger'] = from.ledger;
          text = BEGIN_ANEW;
        }
        const changed = await graph.query(text, parameters, this.timeouts.writeMs);
        return changed.length > 0 ? 'applied' : 'moved';
      } catch (error) {
        // Somebody deleted it under the query, which then has changed nothing.
        if (isMissingGraph(error)) return 'moved';
        throw error;
      }
    });
  }

  drop(): Promise<void> {
    return this.server.asTenant(this.address, (graph) => deleteGraph(graph, this.timeouts.writeMs));
  }

  async related(query: RelatedQuery): Promise<Related[]> {
    const text = RELATED[query.depth - 1];
    if (text === undefined) throw new RangeError(`a walk is 1 to ${RELATED.length} relations deep`);
    const types = query.types?.filter(isStorable) ?? null;
    const starts = [...new Set(query.from)].filter(isNameable).map((id) => keyOf(query.workspace, id));
    if (starts.length === 0) return [];
    const parameters = { starts, types, weakest: query.minStrength ?? 0, limit: query.limit };
    const ask = (most: number) => this.read(text, { ...parameters, most });
    let [reply] = await ask(WAYS(query.limit));
    if (reply !== undefined && reply[1] !== 0) [reply] = await ask(EVERY_WAY);
    return listIn(reply?.[0]).map(relatedIn);
  }

  async linksOf({ workspace, of, types, minStrength = 0, each }: LinksQuery): Promise<LinkOf[]> {
    const starts = [...new Set(of)].filter(isNameable).map((id) => keyOf(workspace, id));
    if (starts.length === 0) return [];
    const parameters = { starts, types: types?.filter(isStorable) ?? null, weakest: minStrength, each };
    const rows = await this.read(LINKS, parameters);
    const links = new Map(rows.map(([start, found]) => [String(start), listIn(found)]));
    return starts.flatMap((start) =>
      (links.get(start) ?? []).map((link): LinkOf => {
        const [far, ...relation] = listIn(link);
        return { of: idIn(start), far: idIn(far), relation: linkIn(relation) };
      }),
    );
  }

  protected async pathFrom(query: PathQuery): Promise<Path> {
    const text = PATH[query.depth - 1];
    if (text === undefined) throw new RangeError(`a path is 1 to ${PATH.length} relations long`);
    const { workspace, from, to, types, minStrength = 0, most } = query;
    if (![from, to].every(isNameable)) return { links: null, complete: true };
    const [[found, cut] = []] = await this.read(text, {
      from: keyOf(workspace, from),
      to: keyOf(workspace, to),
      types: types?.filter(isStorable) ?? null,
      weakest: minStrength,
      most,
      enough: most + 1,
    });
    const links = listIn(found).map((link) => linkIn(listIn(link)));
    return { links: links.length === 0 ? null : links, complete: cut !== true };
  }

  async sharersOf({ workspace, of, each, most }: SharersQuery): Promise<Sharer[]> {
    const starts = [...new Set(of)].filter(isNameable).map((id) => keyOf(workspace, id));
    if (starts.length === 0) return [];
    const rows = await this.read(SHARERS, { starts, each, most });
    const sharers = new Map(rows.map(([start, found]) => [String(start), listIn(found)]));
    return starts.flatMap((start) =>
      (sharers.get(start) ?? []).map((sharer): Sharer => {
        const [far, entity, mentions, shared] = listIn(sharer);
        return {
          of: idIn(start),
          far: idIn(far),
          entity: idIn(entity),
          mentions: Number(mentions),
          shared: Number(shared),
        };
      }),
    );
  }

  async count(): Promise<GraphCount> {
    const counted = async (text: string): Promise<number> => Number((await this.read(text, {}))[0]?.[0] ?? 0);
    return {
      nodes: await counted(COUNT.nodes),
      relationships: await counted(COUNT.relationships),
      entities: await counted(COUNT.entities),
      mentions: await counted(COUNT.mentions),
    };
  }

  async list(): Promise<HeldNode[]> {
    const memories = await this.pages(LIST.memory);
    const relations = await this.pages(LIST.relation);
    return [...memories.map(memoryIn), ...relations.map(relationIn)];
  }

  override digestOf(item: MemoryNode | RelationEdge): Digest {
    return item.kind === 'memory'
      ? mentionsDigest(item.entities)
      : digestOfRow(relationRow(keyOf(item.workspace, item.id), item));
  }

  private async pages(text: string): Promise<Value[][]> {
    const found: Value[][] = [];
    for (let after = ''; ;) {
      const page = await this.read(text, { after, page: PAGE });
      for (const row of page) found.push(row);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return found;
      after = String(last[0]);
    }
  }

  private read(text: string, parameters: QueryParameters): Promise<Value[][]> {
    return this.server.readAsTenant(this.address, (graph) =>
      readIfThere(graph, text, parameters, this.timeouts.readMs),
    );
  }

  private async watermarkIn(graph: GraphCommands): Promise<Watermark> {
    const [row] = await readIfThere(graph, WATERMARK, {}, this.timeouts.readMs);
    if (row === undefined) return NOTHING_APPLIED;
    return { ledger: String(row[0]) as LedgerId, revision: Number(row[1]) };
  }

  /** Each by itself: a query that makes an index does nothing else. On an empty graph there is nothing to wait for. */
  private async makeIndexes(graph: GraphCommands): Promise<void> {
    for (const index of INDEXES) {
      try {
        await graph.query(index, {}, this.timeouts.writeMs);
      } catch (error) {
        if (!isIndexed(error)) throw error;
      }
    }
  }
}

export async function deleteGraph(graph: GraphCommands, timeoutMs: number): Promise<void> {
  try {
    await graph.delete(timeoutMs);
  } catch (error) {
    if (!isMissingGraph(error)) throw error;
  }
}

async function readIfThere(
  graph: GraphCommands,
  text: string,
  parameters: QueryParameters,
  timeoutMs: number,
): Promise<Value[][]> {
  try {
    return await graph.read(text, parameters, timeoutMs);
  } catch (error) {
    if (isMissingGraph(error)) return [];
    throw error;
  }
}

function listIn(value: Value | undefined): Value[] {
  return Array.isArray(value) ? value : [];
}

function relatedIn(found: Value): Related {
  const [start, id, depth, ...relation] = listIn(found);
  return { id: idIn(id), depth: Number(depth), start: idIn(start), relation: linkIn(relation) };
}

function linkIn([id, type, from, to, strength]: Value[]): Link {
  return { id: idIn(id), type: String(type), from: idIn(from), to: idIn(to), strength: Number(strength) };
}

function idIn(key: Value | undefined): string {
  return ofKey(String(key)).id;
}

function memoryIn([key, revision, entities]: Value[]): HeldNode {
  const digest = mentionsDigest(listIn(entities).map(idIn));
  return { kind: 'memory', ...ofKey(String(key)), revision: Number(revision), digest };
}

function relationIn([key, revision, type, from, to, ...strength]: Value[]): HeldNode {
  const digest = digestOfRow([key, revision, from, to, type, ...strength]);
  return { kind: 'relation', ...ofKey(String(key)), revision: Number(revision), digest };
}
