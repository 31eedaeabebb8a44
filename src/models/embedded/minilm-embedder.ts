import type { EmbeddingModel } from '../../spaces/vector-space.js';
import { Embedder, type EmbeddingUrgency } from '../embedder.js';
import { EmbedderUnavailable } from '../models.errors.js';
import type { Precision } from './minilm-graph.js';
import { minilmModel } from './minilm-model.js';
import { MiniLmThread, ThreadDied, type ThreadOptions } from './minilm-thread.js';
import { TextQueue } from './text-queue.js';

export interface MiniLmOptions {
  /** A folder for the built model (35 MB with int8), so that later starts are quick. Null: build at every start. */
  cacheDir: string | null;
  /** Threads, each with a model of its own (some 90 MB). One embeds about 400 short texts a second. */
  workers?: number;
  precision?: Precision;
}

/** Somebody waits for a query: after this long, text search alone serves them better. */
const QUERY_DEADLINE_MS = 5_000;
/**
 * A thread is given this many texts, so that it need not wait for a busy main thread between two of them.
 * It is given queries beyond that, as it takes them first.
 */
const IN_FLIGHT: Record<EmbeddingUrgency, number> = { bulk: 2, query: 8 };
/** Beyond this many waiting texts new ones are refused. */
const MAX_WAITING = 50_000;
/** A text whose thread died under it is tried in another one, this many times in all. */
const MAX_ATTEMPTS = 2;
const RETRY_AFTER_S = 5;

/** A text that waits for its vector. */
interface Job {
  readonly text: string;
  readonly urgency: EmbeddingUrgency;
  attempts: number;
  /** Nobody waits for it any more. */
  abandoned: boolean;
  resolve(vector: Float32Array): void;
  reject(error: EmbedderUnavailable): void;
}

/**
 * all-MiniLM-L6-v2 inside this process: English, 384 dimensions, no network. Texts beyond 256 tokens are cut.
 * It computes in worker threads, one text at a time and queries first, so a query waits for one bulk text at most.
 * A thread that dies is replaced. Close it before `process.exit()`: ended in the middle of a text, onnxruntime aborts the process.
 */
export class MiniLmEmbedder extends Embedder {
  private readonly queue = new TextQueue<Job>();
  /** The threads, and the texts that each was given and has not answered. */
  private readonly threads = new Map<MiniLmThread, Set<Job>>();
  private starting = 0;
  private closed = false;

  private constructor(
    override readonly model: EmbeddingModel,
    private readonly options: ThreadOptions,
    private readonly workers: number,
  ) {
    super();
  }

  /** Rejects with `EmbedderUnavailable` where the model cannot be loaded. */
  static async start(options: MiniLmOptions): Promise<MiniLmEmbedder> {
    const { cacheDir, workers = 1, precision = 'int8' } = options;
    const embedder = new MiniLmEmbedder(minilmModel(precision), { cacheDir, precision }, workers);
    try {
      // One after the other: the first builds the model, the others find it.
      for (let i = 0; i < workers; i++) await embedder.addThread();
    } catch (cause) {
      await embedder.close();
      throw new EmbedderUnavailable('MiniLM could not be loaded', { cause });
    }
    return embedder;
  }

  override async embed(texts: string[], urgency: EmbeddingUrgency): Promise<Float32Array[]> {
    if (this.closed) throw new EmbedderUnavailable('MiniLM was closed');
    if (this.queue.length + texts.length > MAX_WAITING) {
      throw new EmbedderUnavailable(`MiniLM has ${this.queue.length} texts waiting`, {
        retryAfter: RETRY_AFTER_S,
      });
    }
    const jobs: Job[] = [];
    const vectors = texts.map(
      (text) =>
        new Promise<Float32Array>((resolve, reject) => {
          jobs.push({ text, urgency, attempts: 0, abandoned: false, resolve, reject });
        }),
    );
    for (const job of jobs) this.queue.add(job);
    this.replaceThreads();
    this.dispatch();

    const deadline = urgency === 'query' ? setTimeout(() => abandon(jobs), QUERY_DEADLINE_MS) : undefined;
    try {
      return await Promise.all(vectors);
    } finally {
      clearTimeout(deadline);
      for (const job of jobs) job.abandoned = true;
    }
  }

  override async ping(): Promise<void> {
    await this.embed(['ping'], 'query');
  }

  override async close(): Promise<void> {
    this.closed = true;
    this.rejectWaiting(new EmbedderUnavailable('MiniLM was closed'));
    await Promise.all([...this.threads.keys()].map((thread) => thread.end()));
  }

  private dispatch(): void {
    for (let job = this.queue.first(); job !== undefined; job = this.queue.first()) {
      if (!job.abandoned) {
        const thread = this.threadFor(job);
        if (thread === undefined) return;
        void this.run(thread, job);
      }
      this.queue.next();
    }
  }

  /** The one with the least to do, if that leaves room. A text under which a thread died goes alone: it may do so again. */
  private threadFor(job: Job): MiniLmThread | undefined {
    let best: MiniLmThread | undefined;
    let least = job.attempts === 0 ? IN_FLIGHT[job.urgency] : 1;
    for (const [thread, given] of this.threads) {
      const load = [...given].some((other) => other.attempts > 1) ? Infinity : given.size;
      if (load >= least) continue;
      least = load;
      best = thread;
    }
    return best;
  }

  private async run(thread: MiniLmThread, job: Job): Promise<void> {
    job.attempts++;
    this.threads.get(thread)?.add(job);
    try {
      job.resolve(await thread.embed(job.text, job.urgency));
    } catch (cause) {
      if (!(cause instanceof ThreadDied)) {
        job.reject(new EmbedderUnavailable('MiniLM could not embed a text', { cause }));
      } else {
        this.threads.delete(thread);
        if (job.attempts < MAX_ATTEMPTS && !this.closed) this.queue.putBack(job);
        else job.reject(new EmbedderUnavailable('MiniLM died under a text', { cause }));
        this.replaceThreads();
      }
    }
    this.threads.get(thread)?.delete(job);
    this.dispatch();
  }

  /** What waits when the last thread is gone and no new one starts is refused; the next text tries again. */
  private replaceThreads(): void {
    while (!this.closed && this.threads.size + this.starting < this.workers) {
      this.addThread().then(
        () => this.dispatch(),
        (cause: unknown) => {
          if (this.threads.size + this.starting > 0) return;
          this.rejectWaiting(
            new EmbedderUnavailable('MiniLM could not be restarted', { cause, retryAfter: RETRY_AFTER_S }),
          );
        },
      );
    }
  }

  private async addThread(): Promise<void> {
    this.starting++;
    try {
      const thread = await MiniLmThread.start(this.options);
      if (this.closed) return await thread.end();
      this.threads.set(thread, new Set());
      void thread.ended.then(() => this.threads.delete(thread));
    } finally {
      this.starting--;
    }
  }

  private rejectWaiting(error: EmbedderUnavailable): void {
    for (let job = this.queue.next(); job !== undefined; job = this.queue.next()) job.reject(error);
  }
}

function abandon(jobs: Job[]): void {
  const error = new EmbedderUnavailable(`MiniLM took longer than ${QUERY_DEADLINE_MS} ms for a query`, {
    retryAfter: RETRY_AFTER_S,
  });
  for (const job of jobs) job.reject(error);
}
