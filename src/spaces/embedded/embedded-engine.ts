import { chmod, mkdir } from 'node:fs/promises';
import { EmbeddedGraphEngine } from './embedded-graph-space.js';
import { EmbeddedVectorEngine } from './embedded-vector-space.js';
import { SpaceThreads } from './space-threads.js';

export interface EmbeddedOptions {
  /** Where the files go, one for each tenant: `memories_<slug>.db`. Made where it is missing, mode 0700. */
  folder: string;
  /** Threads. More than there are processors helps nobody. Default 2. */
  workers?: number;
  /** Files held open by all threads together; an open file costs some 0.7 MB. Default 96. */
  maxOpen?: number;
  /** Megabytes that all threads together spend on vectors they have read. Default 64: some 20,000 memories. */
  vectorMegabytes?: number;
}

/**
 * Vectors, full text and graph in one SQLite file for each tenant, in threads of this process.
 * For installations of thousands of small tenants, or tenants of up to some 100,000 memories.
 */
export class EmbeddedEngine {
  readonly vectors: EmbeddedVectorEngine;
  readonly graphs: EmbeddedGraphEngine;

  /** `threads` is there for suites that kill one. */
  private constructor(readonly threads: SpaceThreads) {
    this.vectors = new EmbeddedVectorEngine(threads);
    this.graphs = new EmbeddedGraphEngine(threads);
  }

  /** Rejects where the folder cannot be made or a thread does not start. */
  static async start({
    folder,
    workers = 2,
    maxOpen = 96,
    vectorMegabytes = 64,
  }: EmbeddedOptions): Promise<EmbeddedEngine> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    const threads = new SpaceThreads(workers, {
      folder,
      maxOpen: Math.max(1, Math.floor(maxOpen / workers)),
      vectorBytes: (vectorMegabytes * 2 ** 20) / workers,
    });
    await threads.ping();
    return new EmbeddedEngine(threads);
  }

  /** Finishes what is under way, then closes every file. */
  async close(): Promise<void> {
    await this.threads.close();
  }
}
