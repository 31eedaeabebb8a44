import { join } from 'node:path';
import type { SpaceName } from '../../tenancy/tenant.js';
import { GraphStore } from './graph-store.js';
import { PointMemory } from './point-memory.js';
import { isCorruption, removeFile, TenantFile, fileSize } from './tenant-file.js';
import { VectorStore } from './vector-store.js';
import type { EmbeddingModel } from '../vector-space.js';

/** A file with what is kept in memory for it. */
export class OpenSpace {
  private readonly vectorStores = new Map<string, VectorStore>();
  readonly graph: GraphStore;

  constructor(
    readonly file: TenantFile,
    private readonly memory: PointMemory,
  ) {
    this.graph = new GraphStore(file);
  }

  vectors(model: EmbeddingModel): VectorStore {
    const name = `${model.dimensions} ${model.name}`;
    let store = this.vectorStores.get(name);
    if (store === undefined) {
      store = new VectorStore(this.file, model, this.memory);
      this.vectorStores.set(name, store);
    }
    return store;
  }

  forget(): void {
    for (const store of this.vectorStores.values()) store.forget();
    this.vectorStores.clear();
  }

  close(): void {
    this.forget();
    this.file.close();
  }
}

/** This thread's open files: the least recently used is closed where there are too many. */
export class OpenFiles {
  private readonly open = new Map<SpaceName, OpenSpace>();
  private readonly memory: PointMemory;

  constructor(
    private readonly folder: string,
    private readonly maxOpen: number,
    vectorBytes: number,
  ) {
    this.memory = new PointMemory(vectorBytes);
  }

  /** Never makes a file: `empty` where there is none, or where it turns out to be corrupt and is discarded. */
  read<T>(name: SpaceName, empty: T, question: (space: OpenSpace) => T): T {
    return this.guard(name, () => {
      const space = this.find(name);
      return space === null ? empty : question(space);
    });
  }

  /** Makes the file where there is none. */
  write<T>(name: SpaceName, change: (space: OpenSpace) => T): T {
    return this.guard(name, () => {
      const space = this.find(name) ?? this.keep(name, TenantFile.create(this.path(name)));
      try {
        return change(space);
      } catch (error) {
        // What is kept in memory may have run ahead of the transaction that failed.
        space.forget();
        throw error;
      }
    });
  }

  drop(name: SpaceName): void {
    const space = this.open.get(name);
    this.open.delete(name);
    removeFile(this.path(name));
    // After the removal: closing would otherwise move the log into the file first.
    space?.close();
    removeFile(this.path(name));
  }

  size(name: SpaceName): number {
    return fileSize(this.path(name));
  }

  closeAll(): void {
    for (const space of this.open.values()) space.close();
    this.open.clear();
  }

  /** A corrupt file is discarded, and the work is done once more as on an empty one. */
  private guard<T>(name: SpaceName, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!isCorruption(error)) throw error;
      this.drop(name);
      return work();
    }
  }

  private find(name: SpaceName): OpenSpace | null {
    const known = this.open.get(name);
    if (known !== undefined) {
      if (known.file.isUntouched()) {
        this.open.delete(name);
        this.open.set(name, known);
        if (known.file.changedElsewhere()) known.forget();
        return known;
      }
      this.open.delete(name);
      known.close();
    }
    const file = TenantFile.open(this.path(name));
    return file === null ? null : this.keep(name, file);
  }

  private keep(name: SpaceName, file: TenantFile): OpenSpace {
    const space = new OpenSpace(file, this.memory);
    this.open.set(name, space);
    for (const [oldest, idle] of this.open) {
      if (this.open.size <= this.maxOpen) break;
      this.open.delete(oldest);
      idle.close();
    }
    return space;
  }

  private path(name: SpaceName): string {
    return join(this.folder, `${name}.db`);
  }
}
