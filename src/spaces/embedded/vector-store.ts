import type { WorkspaceId } from '../../tenancy/tenant.js';
import {
  NOTHING_APPLIED,
  sameWatermark,
  type Applied,
  type LedgerId,
  type Watermark,
} from '../projection.js';
import type { EmbeddingModel, HeldMemory, Near, NearQuery, VectorQuery } from '../vector-space.js';
import { uint32sOf } from './blobs.js';
import { createVectorTables, dropVectorTables, emptyVectorTables } from './file-schema.js';
import { firstKey, lastKey, placeOf } from './keys.js';
import type { SearchedWorkspace } from './passing.js';
import type { PointMemory } from './point-memory.js';
import { NO_CANDIDATES, type PackedBatch, type PackedCandidates } from './space-work.js';
import { storedMemories } from './stored-memories.js';
import type { TenantFile } from './tenant-file.js';
import { nearInWorkspace } from './near-search.js';
import { searchWorkspace } from './vector-search.js';
import { VectorWriter } from './vector-writer.js';
import { WorkspaceIndex, type Facts } from './workspace-index.js';

type FactsRow = Facts & { key: number };

/** One model's vectors and texts in a tenant's file. */
export class VectorStore {
  private readonly indexes = new Map<number, WorkspaceIndex>();

  constructor(
    readonly file: TenantFile,
    readonly model: EmbeddingModel,
    private readonly memory: PointMemory,
  ) {}

  /** Gives back what is kept in memory; the file has it all. */
  forget(): void {
    for (const { points } of this.indexes.values()) points.clear();
    this.indexes.clear();
  }

  watermark(): Watermark {
    return this.row() ?? NOTHING_APPLIED;
  }

  apply(batch: PackedBatch): Applied {
    return this.file.write(() => {
      const at = this.watermark();
      if (!sameWatermark(at, batch.from)) return 'moved';
      const slot = this.slot() ?? this.newSlot(batch.ledger);
      if (at.ledger !== null && at.ledger !== batch.ledger) {
        emptyVectorTables(this.file.db, slot);
        this.forget();
      }
      new VectorWriter(this.file, `v${slot}`, this.model.dimensions, this.indexes).write(batch);
      this.file
        .sql('UPDATE models SET ledger = ?, revision = ? WHERE slot = ?')
        .run(batch.ledger, batch.to, slot);
      return 'applied';
    });
  }

  search(query: VectorQuery): PackedCandidates {
    const workspace = this.searched(query.workspace);
    return workspace === null ? NO_CANDIDATES : searchWorkspace(workspace, query);
  }

  near(query: NearQuery): Near[][] {
    const workspace = this.searched(query.workspace);
    return workspace === null ? query.vectors.map(() => []) : nearInWorkspace(workspace, query);
  }

  speakers(workspace: WorkspaceId, limit: number): string[] {
    const slot = this.slot();
    const ws = this.file.workspaceNumber(workspace);
    return slot === null || ws === null ? [] : this.index(slot, ws).speakers(limit);
  }

  count(): number {
    const slot = this.slot();
    if (slot === null) return 0;
    return this.file.sql(`SELECT count(*) FROM v${slot}_memories`).pluck().get() as number;
  }

  list(): HeldMemory[] {
    const slot = this.slot();
    if (slot === null) return [];
    const model = { tables: `v${slot}`, dimensions: this.model.dimensions };
    const workspaces = this.file.sql('SELECT number AS ws, workspace FROM workspaces').all();
    return (workspaces as { ws: number; workspace: WorkspaceId }[]).flatMap((workspace) =>
      storedMemories(this.file, model, workspace),
    );
  }

  /** True where nothing is left in the file that anybody has a watermark for. */
  drop(): boolean {
    this.forget();
    return this.file.write(() => {
      const slot = this.slot();
      if (slot !== null) {
        dropVectorTables(this.file.db, slot);
        this.file.sql('DELETE FROM models WHERE slot = ?').run(slot);
      }
      return this.file.sql('SELECT 1 FROM models UNION ALL SELECT 1 FROM graph').get() === undefined;
    });
  }

  /** Null: there is nothing to search in. */
  private searched(workspace: WorkspaceId): SearchedWorkspace | null {
    const slot = this.slot();
    const ws = this.file.workspaceNumber(workspace);
    if (slot === null || ws === null) return null;
    const index = this.index(slot, ws);
    return index.live === 0 ? null : { file: this.file, tables: `v${slot}`, ws, index };
  }

  private row(): Watermark | undefined {
    return this.file
      .sql('SELECT ledger, revision FROM models WHERE name = ? AND dimensions = ?')
      .get(this.model.name, this.model.dimensions) as Watermark | undefined;
  }

  private slot(): number | null {
    const found = this.file
      .sql('SELECT slot FROM models WHERE name = ? AND dimensions = ?')
      .pluck()
      .get(this.model.name, this.model.dimensions);
    return typeof found === 'number' ? found : null;
  }

  private newSlot(ledger: LedgerId): number {
    const { lastInsertRowid } = this.file
      .sql('INSERT INTO models (name, dimensions, ledger, revision) VALUES (?, ?, ?, 0)')
      .run(this.model.name, this.model.dimensions, ledger);
    createVectorTables(this.file.db, Number(lastInsertRowid));
    return Number(lastInsertRowid);
  }

  private index(slot: number, ws: number): WorkspaceIndex {
    const known = this.indexes.get(ws);
    if (known !== undefined) return known;
    const index = new WorkspaceIndex(this.model.dimensions, this.memory);
    const rows = this.file
      .sql(
        `SELECT key, type, session, "user" AS "user", agent, timestamp, valid_from AS validFrom, valid_until AS validUntil,
           alone_length AS aloneLength, joined_length AS joinedLength, has,
           speaker, asked, importance, confidence
         FROM v${slot}_memories WHERE key BETWEEN ? AND ?`,
      )
      .all(firstKey(ws), lastKey(ws)) as FactsRow[];
    for (const row of rows) index.put(placeOf(row.key), row);
    const tail = this.file
      .sql(`SELECT key, terms FROM v${slot}_tail JOIN v${slot}_points USING (key) WHERE key BETWEEN ? AND ?`)
      .raw()
      .all(firstKey(ws), lastKey(ws)) as [number, unknown][];
    for (const [key, terms] of tail) index.tail.set(placeOf(key), uint32sOf(terms));
    this.indexes.set(ws, index);
    return index;
  }
}
