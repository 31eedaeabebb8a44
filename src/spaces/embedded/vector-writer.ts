import type { Tombstone } from '../vector-space.js';
import { bytesOf, uint32sOf } from './blobs.js';
import { firstKey, lastKey, placeOf } from './keys.js';
import type { PackedBatch, PackedPoint } from './space-work.js';
import { countTerms, split } from './term-counts.js';
import { TermPostings } from './term-postings.js';
import type { TenantFile } from './tenant-file.js';
import { HAS_ALONE, HAS_JOINED, hundredths, signCodes, type WorkspaceIndex } from './workspace-index.js';

/**
 * So many memories of a workspace keep their terms to themselves before they go into the postings together: a single
 * store then writes a few pages and not one for each of its words. Searching looks through them one by one.
 */
const TAIL = 512;

interface WorkspaceWrites {
  ws: number;
  postings: TermPostings;
  /** Null: not asked yet which places are free. */
  nextPlace: number | null;
}

/** One batch on its way into the tables, inside the caller's transaction. */
export class VectorWriter {
  private readonly workspaces = new Map<string, WorkspaceWrites>();
  private readonly statements = new Map<string, ReturnType<TenantFile['sql']>>();
  private vectorsRead = 0;

  constructor(
    private readonly file: TenantFile,
    private readonly tables: string,
    private readonly dimensions: number,
    private readonly indexes: ReadonlyMap<number, WorkspaceIndex>,
  ) {}

  write(batch: PackedBatch): void {
    for (const item of batch.items) {
      const writes = this.of(item.workspace);
      if (item.gone) this.bury(writes, item);
      else {
        const alone = this.nextVector(batch, item.alone.hasVector);
        const joined = this.nextVector(batch, item.joined?.hasVector === true);
        this.put(writes, item, alone, joined);
      }
    }
    for (const writes of this.workspaces.values()) this.settleTail(writes);
  }

  private put(
    writes: WorkspaceWrites,
    item: PackedPoint,
    alone: Float32Array | null,
    joined: Float32Array | null,
  ): void {
    const known = this.find(writes.ws, item.id);
    if (known !== null && known.revision >= item.revision) return;
    const buried = this.sql('SELECT revision FROM $_tombstones WHERE ws = ? AND id = ?').pluck();
    const tombstone = buried.get(writes.ws, item.id) as number | undefined;
    if (tombstone !== undefined && tombstone >= item.revision) return;
    const key = known?.key ?? this.newKey(writes);
    const place = placeOf(key);
    const counts = countTerms(item.alone.terms, item.joined?.terms ?? null);
    const terms = bytesOf(counts);
    const posted = known !== null && this.replaceTerms(writes, key, terms);
    if (!posted) this.sql('INSERT OR IGNORE INTO $_tail VALUES (?)').run(key);
    const codes = signCodes(alone, joined, this.dimensions);
    const facts = {
      type: item.type,
      session: item.session,
      user: item.user,
      agent: item.agent,
      timestamp: item.timestamp,
      validFrom: item.validFrom,
      validUntil: item.validUntil,
      aloneLength: split(item.alone.terms).length,
      joinedLength: item.joined === null ? null : split(item.joined.terms).length,
      has: (alone === null ? 0 : HAS_ALONE) | (joined === null ? 0 : HAS_JOINED),
      speaker: item.speaker,
      asked: hundredths(item.asked),
      importance: hundredths(item.importance),
      confidence: hundredths(item.confidence),
    };
    this.sql(
      'INSERT OR REPLACE INTO $_memories VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    ).run(
      key,
      writes.ws,
      item.id,
      item.revision,
      item.type,
      item.timestamp,
      item.validFrom,
      item.validUntil,
      item.session,
      item.user,
      item.agent,
      facts.aloneLength,
      facts.joinedLength,
      facts.has,
      facts.speaker,
      facts.asked,
      facts.importance,
      facts.confidence,
      codes === null ? null : bytesOf(codes),
    );
    this.sql('INSERT OR REPLACE INTO $_points VALUES (?, ?, ?, ?, ?)').run(
      key,
      item.id,
      alone === null ? null : bytesOf(alone),
      joined === null ? null : bytesOf(joined),
      terms,
    );
    if (known !== null) this.sql('DELETE FROM $_tags WHERE key = ?').run(key);
    for (const tag of item.tags) this.sql('INSERT OR IGNORE INTO $_tags VALUES (?, ?)').run(tag, key);
    const index = this.indexes.get(writes.ws);
    index?.put(place, facts);
    if (!posted) index?.tail.set(place, counts);
    if (codes !== null) index?.putCodes(place, codes);
  }

  private bury(writes: WorkspaceWrites, item: Tombstone): void {
    const known = this.find(writes.ws, item.id);
    if (known !== null) {
      if (known.revision > item.revision) return;
      this.unpost(writes, known.key);
      for (const table of ['memories', 'points', 'tags']) {
        this.sql(`DELETE FROM $_${table} WHERE key = ?`).run(known.key);
      }
      this.sql('INSERT INTO $_vacant VALUES (?)').run(known.key);
      writes.nextPlace = null;
      this.indexes.get(writes.ws)?.remove(placeOf(known.key));
    }
    this.sql(
      `INSERT INTO $_tombstones VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET revision = max(revision, excluded.revision)`,
    ).run(writes.ws, item.id, item.revision);
  }

  /** True where the postings hold these very terms already: a new vector or tag changes none of them. */
  private replaceTerms(writes: WorkspaceWrites, key: number, terms: Uint8Array): boolean {
    const stored = this.sql('SELECT terms FROM $_points WHERE key = ?').pluck().get(key);
    const inTail = this.sql('SELECT 1 FROM $_tail WHERE key = ?').get(key) !== undefined;
    if (inTail) return false;
    if (stored instanceof Uint8Array && Buffer.compare(stored, terms) === 0) return true;
    writes.postings.remove(placeOf(key), uint32sOf(stored));
    return false;
  }

  private unpost(writes: WorkspaceWrites, key: number): void {
    if (this.sql('DELETE FROM $_tail WHERE key = ?').run(key).changes > 0) return;
    const stored = this.sql('SELECT terms FROM $_points WHERE key = ?').pluck().get(key);
    writes.postings.remove(placeOf(key), uint32sOf(stored));
  }

  private settleTail({ ws, postings }: WorkspaceWrites): void {
    const range = [firstKey(ws), lastKey(ws)];
    const waiting = this.sql('SELECT count(*) FROM $_tail WHERE key BETWEEN ? AND ?')
      .pluck()
      .get(...range);
    if (typeof waiting === 'number' && waiting > TAIL) {
      const rows = this.sql(
        'SELECT key, terms FROM $_tail JOIN $_points USING (key) WHERE key BETWEEN ? AND ?',
      ).raw();
      for (const [key, terms] of rows.all(...range) as [number, unknown][]) {
        postings.add(placeOf(key), uint32sOf(terms));
      }
      this.sql('DELETE FROM $_tail WHERE key BETWEEN ? AND ?').run(...range);
      this.indexes.get(ws)?.tail.clear();
    }
    postings.flush();
  }

  private find(ws: number, id: string): { key: number; revision: number } | null {
    const found = this.sql('SELECT key, revision FROM $_memories WHERE ws = ? AND id = ?').get(ws, id);
    return found === undefined ? null : (found as { key: number; revision: number });
  }

  /** A place that a deleted memory left, or the next one beyond all. */
  private newKey(writes: WorkspaceWrites): number {
    const range = [firstKey(writes.ws), lastKey(writes.ws)];
    if (writes.nextPlace === null) {
      const vacant = this.sql('SELECT key FROM $_vacant WHERE key BETWEEN ? AND ? LIMIT 1')
        .pluck()
        .get(...range);
      if (typeof vacant === 'number') {
        this.sql('DELETE FROM $_vacant WHERE key = ?').run(vacant);
        return vacant;
      }
      const highest = this.sql('SELECT max(key) FROM $_memories WHERE key BETWEEN ? AND ?')
        .pluck()
        .get(...range);
      writes.nextPlace = typeof highest === 'number' ? placeOf(highest) + 1 : 0;
    }
    return firstKey(writes.ws) + writes.nextPlace++;
  }

  private of(workspace: PackedPoint['workspace']): WorkspaceWrites {
    let writes = this.workspaces.get(workspace);
    if (writes === undefined) {
      const ws = this.file.newWorkspaceNumber(workspace);
      const postings = new TermPostings(this.file, `${this.tables}_postings`, ws);
      writes = { ws, postings, nextPlace: null };
      this.workspaces.set(workspace, writes);
    }
    return writes;
  }

  /** Of unit length, as scores are cosines; one without a direction is none. */
  private nextVector(batch: PackedBatch, wanted: boolean): Float32Array | null {
    if (!wanted) return null;
    const start = this.vectorsRead++ * this.dimensions;
    return toUnitLength(batch.vectors.subarray(start, start + this.dimensions));
  }

  /** `$_` stands for the name of this model's tables. */
  private sql(text: string): ReturnType<TenantFile['sql']> {
    let statement = this.statements.get(text);
    if (statement === undefined) {
      statement = this.file.sql(text.replaceAll('$_', `${this.tables}_`));
      this.statements.set(text, statement);
    }
    return statement;
  }
}

function toUnitLength(vector: Float32Array): Float32Array | null {
  let sum = 0;
  for (const value of vector) sum += value * value;
  if (sum === 0) return null;
  if (Math.abs(sum - 1) > 1e-5) {
    const length = Math.sqrt(sum);
    for (let at = 0; at < vector.length; at++) vector[at] = (vector[at] as number) / length;
  }
  return vector;
}
