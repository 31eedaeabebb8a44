import {
  edgeDigest,
  mentionsDigest,
  NOTHING_COUNTED,
  type GraphCount,
  type GraphItem,
  type HeldNode,
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
import {
  NOTHING_APPLIED,
  sameWatermark,
  type Applied,
  type Batch,
  type LedgerId,
  type Watermark,
} from '../projection.js';
import { createGraphTables, emptyGraphTables } from './file-schema.js';
import { pathBetween, relatedTo, strongestFirst, type Ground, type Neighbour } from './graph-walk.js';
import { Mentions } from './mentions.js';
import type { TenantFile } from './tenant-file.js';

const NEIGHBOURS = (near: string, far: string): string => `
  SELECT e.id AS id, e.type AS type, e.source AS "from", e.target AS "to", e.strength AS strength, e.${far} AS far
  FROM edges e JOIN nodes n ON n.ws = e.ws AND n.id = e.${far}
  WHERE e.ws = ? AND e.${near} = ?
  ORDER BY e.strength DESC, e.${far}, e.id`;
// Two queries, one for each direction: a union of both cannot use both indexes.
const OUTGOING = NEIGHBOURS('source', 'target');
const INCOMING = NEIGHBOURS('target', 'source');

/** A tenant's graph in its file. */
export class GraphStore {
  private readonly mentions: Mentions;

  constructor(private readonly file: TenantFile) {
    this.mentions = new Mentions(file);
  }

  watermark(): Watermark {
    const row = this.file.sql('SELECT ledger, revision FROM graph').get() as
      { ledger: LedgerId; revision: number } | undefined;
    return row ?? NOTHING_APPLIED;
  }

  apply(batch: Batch<GraphItem>): Applied {
    return this.file.write(() => {
      const at = this.watermark();
      if (!sameWatermark(at, batch.from)) return 'moved';
      if (at.ledger === null) createGraphTables(this.file.db);
      if (at.ledger !== batch.ledger) emptyGraphTables(this.file.db);
      for (const item of batch.items) this.applyItem(item);
      this.file.sql('DELETE FROM graph').run();
      this.file.sql('INSERT INTO graph VALUES (?, ?)').run(batch.ledger, batch.to);
      return 'applied';
    });
  }

  related(query: RelatedQuery): Related[] {
    const ws = this.file.workspaceNumber(query.workspace);
    if (ws === null || this.watermark().ledger === null) return [];
    return relatedTo(query, this.ground(ws));
  }

  linksOf({ workspace, of, types, minStrength = 0, each }: LinksQuery): LinkOf[] {
    const ws = this.file.workspaceNumber(workspace);
    if (ws === null || this.watermark().ledger === null) return [];
    const ground = this.ground(ws);
    const wanted = types === undefined ? null : new Set(types);
    return [...new Set(of)]
      .filter((id) => ground.knows(id))
      .flatMap((id) => {
        const found = ground.neighbours(id).flatMap((neighbours) => {
          const first: Neighbour[] = [];
          for (const neighbour of neighbours) {
            if (neighbour.strength < minStrength || first.length === each) break;
            if (neighbour.far !== id && wanted?.has(neighbour.type) !== false) first.push(neighbour);
          }
          return first;
        });
        const best = found.sort(strongestFirst).slice(0, each);
        return best.map(({ far, ...relation }): LinkOf => ({ of: id, far, relation }));
      });
  }

  path(query: PathQuery): Path {
    const ws = this.file.workspaceNumber(query.workspace);
    if (ws === null || this.watermark().ledger === null) return { links: null, complete: true };
    return pathBetween(query, this.ground(ws));
  }

  sharersOf(query: SharersQuery): Sharer[] {
    const ws = this.file.workspaceNumber(query.workspace);
    if (ws === null || this.watermark().ledger === null) return [];
    return this.mentions.sharersOf(ws, query);
  }

  private ground(ws: number): Ground {
    return {
      knows: (id) => this.file.sql('SELECT 1 FROM nodes WHERE ws = ? AND id = ?').get(ws, id) !== undefined,
      neighbours: (id) => [this.along(OUTGOING, ws, id), this.along(INCOMING, ws, id)],
    };
  }

  /** Begun when it is first looked at, and read no further than it is. */
  private *along(sql: string, ws: number, id: string): Iterable<Neighbour> {
    yield* this.file.sql(sql).iterate(ws, id) as Iterable<Neighbour>;
  }

  count(): GraphCount {
    if (this.watermark().ledger === null) return NOTHING_COUNTED;
    const nodes = this.file.sql('SELECT count(*) FROM nodes').pluck().get() as number;
    const relationships = this.file
      .sql(
        `SELECT count(*) FROM edges e
         WHERE EXISTS (SELECT 1 FROM nodes n WHERE n.ws = e.ws AND n.id = e.source)
           AND EXISTS (SELECT 1 FROM nodes n WHERE n.ws = e.ws AND n.id = e.target)`,
      )
      .pluck()
      .get() as number;
    return { nodes, relationships, ...this.mentions.count() };
  }

  list(): HeldNode[] {
    if (this.watermark().ledger === null) return [];
    const nodes = this.file
      .sql(
        `SELECT workspace, id, revision,
           (SELECT json_group_array(entity) FROM mentions m WHERE m.ws = n.ws AND m.id = n.id) AS entities
         FROM nodes n JOIN workspaces ON number = ws`,
      )
      .all() as (Omit<HeldNode, 'kind' | 'digest'> & { entities: string })[];
    const edges = this.file
      .sql(
        `SELECT workspace, id, revision, type, source AS "from", target AS "to", strength
         FROM edges JOIN workspaces ON number = ws`,
      )
      .all() as RelationEdge[];
    return [
      ...nodes.map(({ entities, ...node }): HeldNode => {
        return { kind: 'memory', ...node, digest: mentionsDigest(JSON.parse(entities) as string[]) };
      }),
      ...edges.map(({ workspace, id, revision, ...edge }): HeldNode => {
        return { kind: 'relation', workspace, id, revision, digest: edgeDigest(edge) };
      }),
    ];
  }

  /** True where nothing is left in the file that anybody has a watermark for. */
  drop(): boolean {
    return this.file.write(() => {
      if (this.watermark().ledger !== null) emptyGraphTables(this.file.db);
      this.file.sql('DELETE FROM graph').run();
      return this.file.sql('SELECT 1 FROM models').get() === undefined;
    });
  }

  private applyItem(item: GraphItem): void {
    const ws = this.file.newWorkspaceNumber(item.workspace);
    const table = item.kind === 'memory' ? 'nodes' : 'edges';
    const known = this.revisionIn(table, ws, item.id);
    if (known !== null && known >= item.revision && !(item.gone && known === item.revision)) return;
    const buried = this.file
      .sql('SELECT revision FROM graph_tombstones WHERE kind = ? AND ws = ? AND id = ?')
      .pluck()
      .get(item.kind, ws, item.id) as number | undefined;
    if (buried !== undefined && buried >= item.revision) return;
    if (item.kind === 'memory' && known !== null) this.mentions.forget(ws, item.id);
    if (item.gone) {
      this.file.sql(`DELETE FROM ${table} WHERE ws = ? AND id = ?`).run(ws, item.id);
      this.file
        .sql('INSERT OR REPLACE INTO graph_tombstones VALUES (?, ?, ?, ?)')
        .run(item.kind, ws, item.id, item.revision);
    } else this.put(ws, item);
  }

  private put(ws: number, item: MemoryNode | RelationEdge): void {
    if (item.kind === 'memory') {
      this.file.sql('INSERT OR REPLACE INTO nodes VALUES (?, ?, ?)').run(ws, item.id, item.revision);
      this.mentions.add(ws, item.id, item.entities);
      return;
    }
    this.file
      .sql('INSERT OR REPLACE INTO edges VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(ws, item.id, item.revision, item.type, item.from, item.to, item.strength);
  }

  private revisionIn(table: 'nodes' | 'edges', ws: number, id: string): number | null {
    const found = this.file.sql(`SELECT revision FROM ${table} WHERE ws = ? AND id = ?`).pluck().get(ws, id);
    return typeof found === 'number' ? found : null;
  }
}
