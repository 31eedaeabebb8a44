import type { Products } from './vector-kernels.js';

/** Rows that are given and taken back together: 196 KB at 384 dimensions. */
const ROWS = 64;

interface Chunk {
  vectors: Float32Array;
  ids: string[];
  /** Which place each row holds. */
  places: Int32Array;
}

/**
 * Full vectors that searches have read, kept for the next search: reading one from the file costs 10 microseconds,
 * comparing one in memory half of one. One budget for a whole thread: where it is spent, the workspace that was
 * searched longest ago gives all of its own back; one that has it all to itself overwrites its oldest rows.
 */
export class PointMemory {
  /** Least recently used first. */
  private readonly holders = new Set<WorkspacePoints>();
  private used = 0;

  constructor(private readonly bytes: number) {}

  touch(holder: WorkspacePoints): void {
    this.holders.delete(holder);
    this.holders.add(holder);
  }

  /** Whether the holder may take so many bytes more. */
  take(holder: WorkspacePoints, bytes: number): boolean {
    for (const oldest of this.holders) {
      if (this.used + bytes <= this.bytes) break;
      if (oldest !== holder) oldest.clear();
    }
    if (this.used + bytes > this.bytes) return false;
    this.used += bytes;
    return true;
  }

  giveBack(holder: WorkspacePoints, bytes: number): void {
    this.used -= bytes;
    this.holders.delete(holder);
  }
}

/** The points of one workspace that are in memory. */
export class WorkspacePoints {
  private readonly chunks: Chunk[] = [];
  private readonly rowOf = new Map<number, number>();
  private next = 0;

  constructor(
    private readonly memory: PointMemory,
    private readonly dimensions: number,
  ) {}

  touch(): void {
    this.memory.touch(this);
  }

  row(place: number): number | undefined {
    return this.rowOf.get(place);
  }

  id(row: number): string {
    return this.chunks[Math.floor(row / ROWS)]?.ids[row % ROWS] ?? '';
  }

  /** The product with the first or second vector of a row. */
  product(row: number, part: 0 | 1, products: Products): number {
    const vectors = this.chunks[Math.floor(row / ROWS)]?.vectors;
    return vectors === undefined
      ? Number.NaN
      : products(vectors, ((row % ROWS) * 2 + part) * this.dimensions);
  }

  /** Null vectors are left as they are: whoever asks knows which there are. */
  keep(place: number, id: string, alone: Float32Array | null, joined: Float32Array | null): void {
    const row = this.freeRow();
    if (row === null) return;
    const chunk = this.chunks[Math.floor(row / ROWS)];
    if (chunk === undefined) return;
    const at = row % ROWS;
    const before = chunk.places[at] as number;
    if (before !== EMPTY && this.rowOf.get(before) === row) this.rowOf.delete(before);
    chunk.places[at] = place;
    chunk.ids[at] = id;
    if (alone !== null) chunk.vectors.set(alone, at * 2 * this.dimensions);
    if (joined !== null) chunk.vectors.set(joined, (at * 2 + 1) * this.dimensions);
    this.rowOf.set(place, row);
  }

  forget(place: number): void {
    this.rowOf.delete(place);
  }

  clear(): void {
    this.memory.giveBack(this, this.chunks.length * this.chunkBytes());
    this.chunks.length = 0;
    this.rowOf.clear();
    this.next = 0;
  }

  private freeRow(): number | null {
    if (this.next === this.chunks.length * ROWS && !this.addChunk()) {
      if (this.chunks.length === 0) return null;
      this.next = 0;
    }
    return this.next++;
  }

  private addChunk(): boolean {
    if (!this.memory.take(this, this.chunkBytes())) return false;
    this.chunks.push({
      vectors: new Float32Array(ROWS * 2 * this.dimensions),
      ids: [],
      places: new Int32Array(ROWS).fill(EMPTY),
    });
    return true;
  }

  private chunkBytes(): number {
    return ROWS * 2 * this.dimensions * 4;
  }
}

const EMPTY = -1;
