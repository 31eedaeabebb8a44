import { Worker } from 'node:worker_threads';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { workerFile } from '../../../platform/project-root.js';
import type { Tenant } from '../../../tenancy/principal.js';
import { ReaderStopped } from '../enrichment.errors.js';
import { TextReader, type Reading, type TextToRead } from './text-reader.js';

export interface ReadingRequest {
  id: number;
  texts: readonly TextToRead[];
}

export type ReadingReply = { id: number; readings: Reading[] } | { id: number; reason: string };

/** So much memory is for what is written now: an idle thread goes, with its lexicon of some 60 MB. */
const IDLE_MS = 60_000;
/** Far longer than a batch takes on a slow and busy machine: past it, a text keeps the thread for ever. */
const LONGEST_MS = 60_000;

interface Waiting {
  resolve(readings: Reading[]): void;
  reject(error: Error): void;
}

/** Reads in a thread of its own, offline, so that no request waits for it. The thread is there while there is work. */
@Injectable()
export class ReadingThread extends TextReader implements OnApplicationShutdown {
  private worker: Worker | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;
  private closed = false;
  private timer: NodeJS.Timeout | undefined;

  override read(_tenant: Tenant, texts: readonly TextToRead[]): Promise<Reading[]> {
    if (texts.length === 0) return Promise.resolve([]);
    if (this.closed) return Promise.reject(new ReaderStopped());
    return new Promise((resolve, reject) => {
      const id = ++this.lastId;
      this.waiting.set(id, { resolve, reject });
      this.worker ??= this.start();
      this.worker.postMessage({ id, texts } satisfies ReadingRequest);
      this.watch();
    });
  }

  async onApplicationShutdown(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    const { worker } = this;
    this.lose(new ReaderStopped());
    await worker?.terminate();
  }

  private start(): Worker {
    const file = workerFile('modules/enrichment/reading/reading.worker.js');
    const worker = new Worker(file, {
      name: 'reading',
      // Flags meant for the main thread have no place here, nor have its secrets.
      execArgv: [],
      env: {},
      resourceLimits: { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 512 },
    });
    worker.unref();
    worker.on('message', (reply: ReadingReply) => {
      const asked = this.waiting.get(reply.id);
      this.waiting.delete(reply.id);
      if ('readings' in reply) asked?.resolve(reply.readings);
      else asked?.reject(new Error(reply.reason));
      this.watch();
    });
    const gone = (reason: string) => {
      if (this.worker === worker) this.lose(new Error(reason));
    };
    worker.on('error', (error) => gone(`The reading thread failed: ${String(error)}`));
    worker.on('exit', (code) => gone(`The reading thread ended with code ${code}`));
    return worker;
  }

  /** Ends a thread that has nothing to do, or that a text keeps from ever answering. */
  private watch(): void {
    clearTimeout(this.timer);
    const hangs = this.waiting.size > 0;
    this.timer = setTimeout(
      () => {
        const { worker } = this;
        this.lose(new Error('A text kept the reading thread for too long'));
        void worker?.terminate();
      },
      hangs ? LONGEST_MS : IDLE_MS,
    ).unref();
  }

  private lose(error: Error): void {
    this.worker = null;
    for (const asked of this.waiting.values()) asked.reject(error);
    this.waiting.clear();
  }
}
