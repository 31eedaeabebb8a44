import { Worker } from 'node:worker_threads';
import { workerFile } from '../../platform/project-root.js';
import type { EmbeddingUrgency } from '../embedder.js';
import type { Precision } from './minilm-graph.js';

/** What a thread is started with. */
export interface ThreadOptions {
  /** Where the built model is kept between starts; null: nowhere. */
  cacheDir: string | null;
  precision: Precision;
}

/** What a thread is asked. */
export interface ThreadRequest {
  id: number;
  text: string;
  urgency: EmbeddingUrgency;
}

/** What a thread answers. A vector's memory is handed over, not copied. */
export type ThreadReply =
  { ready: true } | { id: number; buffer: ArrayBuffer } | { id: number; reason: string };

/** The thread ended, or hung and was ended, before it had answered. */
export class ThreadDied extends Error {}

/** Far longer than loading, or any text, takes on a slow and busy machine: past it, the thread hangs. */
const LONGEST_SILENCE_MS = 60_000;
/** The id under which a thread's readiness is waited for. */
const READY = 0;

interface Waiting {
  resolve(reply: ThreadReply): void;
  reject(error: Error): void;
  overdue: NodeJS.Timeout;
}

/** One worker thread with a model of its own. It works on one text at a time, and takes queries before bulk. */
export class MiniLmThread {
  private readonly waiting = new Map<number, Waiting>();
  private lastId = READY;
  private death: ThreadDied | null = null;
  /** Resolves when the thread has ended, for whatever reason. */
  readonly ended: Promise<void>;

  private constructor(private readonly worker: Worker) {
    worker.on('message', (reply: ThreadReply) => {
      this.settle('ready' in reply ? READY : reply.id, (waiting) => waiting.resolve(reply));
    });
    worker.on('error', (error) => this.die(`The embedding thread failed: ${String(error)}`));
    this.ended = new Promise((resolve) => {
      worker.on('exit', (code) => {
        this.die(`The embedding thread ended with code ${code}`);
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
        resourceLimits: { maxYoungGenerationSizeMb: 8 },
      }),
    );
    await thread.reply(READY);
    return thread;
  }

  /** Unit length. Rejects with `ThreadDied`, or with what the model said. */
  async embed(text: string, urgency: EmbeddingUrgency): Promise<Float32Array> {
    const id = ++this.lastId;
    const reply = this.reply(id);
    this.worker.postMessage({ id, text, urgency } satisfies ThreadRequest);
    const answer = await reply;
    // A view made here: in a suite, what a thread sends is of another realm.
    if ('buffer' in answer) return new Float32Array(answer.buffer);
    throw new Error('reason' in answer ? answer.reason : 'The embedding thread gave no vector');
  }

  /**
   * Ends the thread after the text it is at; what else it was given is refused with `ThreadDied`.
   * Never by `terminate()`: that makes onnxruntime throw where nobody can catch it, and the process aborts.
   */
  async end(): Promise<void> {
    this.worker.postMessage('end');
    await this.ended;
  }

  private reply(id: number): Promise<ThreadReply> {
    return new Promise((resolve, reject) => {
      if (this.death !== null) return reject(this.death);
      const overdue = setTimeout(() => {
        this.die(`The embedding thread did not answer for ${LONGEST_SILENCE_MS} ms`);
        void this.end();
      }, LONGEST_SILENCE_MS);
      this.waiting.set(id, { resolve, reject, overdue });
    });
  }

  private die(reason: string): void {
    const death = (this.death ??= new ThreadDied(reason));
    for (const id of [...this.waiting.keys()]) this.settle(id, (waiting) => waiting.reject(death));
  }

  private settle(id: number, answer: (waiting: Waiting) => void): void {
    const waiting = this.waiting.get(id);
    if (waiting === undefined) return;
    this.waiting.delete(id);
    clearTimeout(waiting.overdue);
    answer(waiting);
  }
}
