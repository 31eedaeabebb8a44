import { Worker } from 'node:worker_threads';
import { workerFile } from '../../platform/project-root.js';
import type { Precision } from './minilm-graph.js';

/** What a thread is started with. */
export interface ThreadOptions {
  /** Where the built model is kept between starts; null: nowhere. */
  cacheDir: string | null;
  precision: Precision;
}

/** What a thread answers. A vector's memory is handed over, not copied. */
export type ThreadReply =
  { kind: 'ready' } | { kind: 'vector'; buffer: ArrayBuffer } | { kind: 'failed'; reason: string };

/** The thread ended, or hung and was ended, before it had answered. */
export class ThreadDied extends Error {}

/** Far longer than loading, or any text, takes on a slow and busy machine: past it, the thread hangs. */
const LONGEST_SILENCE_MS = 60_000;

interface Waiting {
  resolve(reply: ThreadReply): void;
  reject(error: Error): void;
  overdue: NodeJS.Timeout;
}

/** One worker thread with a model of its own, answering one text at a time. */
export class MiniLmThread {
  private waiting: Waiting | null = null;
  private death: ThreadDied | null = null;
  /** Resolves when the thread has ended, for whatever reason. */
  readonly ended: Promise<void>;

  private constructor(private readonly worker: Worker) {
    worker.on('message', (reply: ThreadReply) => this.settle((waiting) => waiting.resolve(reply)));
    worker.on('error', (error) => this.die(new ThreadDied(`The embedding thread failed: ${String(error)}`)));
    this.ended = new Promise((resolve) => {
      worker.on('exit', (code) => {
        this.die(new ThreadDied(`The embedding thread ended with code ${code}`));
        resolve();
      });
    });
  }

  /** Resolves once the model is loaded. Rejects with `ThreadDied` where it cannot be. */
  static async start(options: ThreadOptions): Promise<MiniLmThread> {
    const file = workerFile('models/embedded/minilm.worker.js');
    const thread = new MiniLmThread(
      new Worker(file, {
        name: 'minilm',
        workerData: options,
        // Flags meant for the main thread (loaders, inspectors, heap sizes) have no place here, nor have its secrets.
        execArgv: [],
        env: {},
        // Tokenizing makes garbage quickly; left alone, V8 would let it grow.
        resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 512 },
      }),
    );
    await thread.ask(null);
    return thread;
  }

  /** Unit length. Only one text at a time. Rejects with `ThreadDied`, or with what the model said. */
  async embed(text: string): Promise<Float32Array> {
    const reply = await this.ask(text);
    // A view made here: in a suite, what a thread sends is of another realm.
    if (reply.kind === 'vector') return new Float32Array(reply.buffer);
    throw new Error(reply.kind === 'failed' ? reply.reason : 'The embedding thread gave no vector');
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }

  /** The thread's next reply. Null: without sending anything, as when it starts. */
  private ask(text: string | null): Promise<ThreadReply> {
    return new Promise((resolve, reject) => {
      if (this.death !== null) return reject(this.death);
      const overdue = setTimeout(() => {
        this.die(new ThreadDied(`The embedding thread did not answer for ${LONGEST_SILENCE_MS} ms`));
        void this.worker.terminate();
      }, LONGEST_SILENCE_MS);
      this.waiting = { resolve, reject, overdue };
      if (text !== null) this.worker.postMessage(text);
    });
  }

  private die(death: ThreadDied): void {
    this.death ??= death;
    this.settle((waiting) => waiting.reject(death));
  }

  private settle(answer: (waiting: Waiting) => void): void {
    const waiting = this.waiting;
    this.waiting = null;
    if (waiting === null) return;
    clearTimeout(waiting.overdue);
    answer(waiting);
  }
}
