import {
  edgeDigest,
  NOTHING_MORE,
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
  constructor(private readonly file: TenantFile) {}

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

  count(): { nodes: number; relationships: number } {
    if (this.watermark().ledger === null) return { nodes: 0, relationships: 0 };
    const nodes = this.file.sql('SELECT count(*) FROM nodes').pluck().get() as number;
    const relationships = this.file
      .sql(
        `SELECT count(*) FROM edges e
         WHERE EXISTS (SELECT 1 FROM nodes n WHERE n.ws = e.ws AND n.id = e.source)
           AND EXISTS (SELECT 1 FROM nodes n WHERE n.ws = e.ws AND n.id = e.target)`,
      )
      .pluck()
      .get() as number;
    return { nodes, relationships };
  }

  list(): HeldNode[] {
    if (this.watermark().ledger === null) return [];
    const nodes = this.file
      .sql('SELECT workspace, id, revision FROM nodes JOIN workspaces ON number = ws')
      .all() as Omit<HeldNode, 'kind' | 'digest'>[];
    const edges = this.file
      .sql(
        `SELECT workspace, id, revision, type, source AS "from", target AS "to", strength
         FROM edges JOIN workspaces ON number = ws`,
      )
      .all() as RelationEdge[];
    return [
      ...nodes.map((node): HeldNode => ({ kind: 'memory', ...node, digest: NOTHING_MORE })),
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
