import { Worker, type Transferable } from 'node:worker_threads';
import { workerFile } from '../../platform/project-root.js';
import type { SpaceName } from '../../tenancy/tenant.js';
import { SpaceUnavailable } from '../space-errors.js';
import type { SpaceWork, ThreadOptions, WorkKind, WorkReply, WorkRequest } from './space-work.js';

interface Pending {
  resolve: (result: SpaceWork[WorkKind]['result']) => void;
  reject: (error: Error) => void;
}

interface Thread {
  worker: Worker;
  pending: Map<number, Pending>;
  /** What was asked in this turn of the event loop, to leave in one message: sending one costs more than most answers. */
  outbox: { requests: WorkRequest[]; transfer: Transferable[] };
}

/**
 * What is read for a search is garbage a moment later. Left alone, V8 lets it grow to 134 MB in each thread before it
 * looks; so it looks more often.
 */
const YOUNG_MB = 12;
const SPACE_NAME = /^memories_[a-z0-9_-]+$/;

/**
 * The threads that do all the SQLite work. A space always has the same thread, so that its file has one
 * connection and its calls keep their order. A thread that dies takes its calls with it (`SpaceUnavailable`)
 * and is started again by the next call.
 */
export class SpaceThreads {
  private readonly threads: (Thread | null)[];
  private closed = false;
  private calls = 0;

  constructor(
    count: number,
    private readonly options: ThreadOptions,
  ) {
    this.threads = Array.from({ length: count }, () => null);
  }

  call<Kind extends WorkKind>(
    space: SpaceName,
    kind: Kind,
    args: SpaceWork[Kind]['args'],
    transfer: Transferable[] = [],
  ): Promise<SpaceWork[Kind]['result']> {
    // Names are minted by spaceName() alone; this one becomes a path, so it is looked at once more.
    if (!SPACE_NAME.test(space)) return Promise.reject(new RangeError('This is no name of a space'));
    return this.ask(hash(space) % this.threads.length, space, kind, args, transfer);
  }

  /** Resolves once every thread has answered. */
  async ping(): Promise<void> {
    await Promise.all(this.threads.map((_, at) => this.ask(at, '' as SpaceName, 'ping', null, [])));
  }

  /** Lets the calls under way finish and closes every file. */
  async close(): Promise<void> {
    if (this.closed) return;
    const running = this.threads.flatMap((thread, at) => (thread === null ? [] : [at]));
    const closing = running.map((at) => this.ask(at, '' as SpaceName, 'close', null, []));
    this.closed = true;
    await Promise.allSettled(closing);
    await Promise.all(this.threads.flatMap((thread) => (thread === null ? [] : [thread.worker.terminate()])));
  }

  /** Ends the thread of a space at once, in the middle of what it does: a power cut for its own small world. */
  async kill(space: SpaceName): Promise<void> {
    await this.threads[hash(space) % this.threads.length]?.worker.terminate();
  }

  private ask<Kind extends WorkKind>(
    at: number,
    space: SpaceName,
    kind: Kind,
    args: SpaceWork[Kind]['args'],
    transfer: Transferable[],
  ): Promise<SpaceWork[Kind]['result']> {
    if (this.closed) return Promise.reject(new SpaceUnavailable('the embedded engine is closed'));
    const call = ++this.calls;
    return new Promise<SpaceWork[WorkKind]['result']>((resolve, reject) => {
      const thread = (this.threads[at] ??= this.start(at));
      const { requests, transfer: transferred } = thread.outbox;
      if (requests.length === 0) process.nextTick(() => this.send(thread));
      requests.push({ call, space, kind, args });
      transferred.push(...transfer);
      thread.pending.set(call, { resolve, reject });
    });
  }

  private send(thread: Thread): void {
    const { requests, transfer } = thread.outbox;
    thread.outbox = { requests: [], transfer: [] };
    try {
      thread.worker.postMessage(requests, transfer);
    } catch (error) {
      for (const { call } of requests) {
        thread.pending.get(call)?.reject(new Error('what was asked cannot be sent', { cause: error }));
        thread.pending.delete(call);
      }
    }
  }

  private start(at: number): Thread {
    const worker = new Worker(workerFile('spaces/embedded/space-thread.js'), {
      workerData: this.options,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    const thread: Thread = { worker, pending: new Map(), outbox: { requests: [], transfer: [] } };
    let fault: unknown = null;
    worker.on('message', (reply: WorkReply) => {
      const waiting = thread.pending.get(reply.call);
      thread.pending.delete(reply.call);
      if (!('error' in reply)) waiting?.resolve(reply.result);
      else if (reply.error.outage) waiting?.reject(new SpaceUnavailable(reply.error.message));
      else waiting?.reject(new Error(reply.error.message));
    });
    worker.on('error', (error) => {
      fault = error;
    });
    worker.on('exit', () => {
      if (this.threads[at] === thread) this.threads[at] = null;
      for (const { reject } of thread.pending.values()) {
        reject(new SpaceUnavailable('the thread of this space ended', fault));
      }
      thread.pending.clear();
    });
    return thread;
  }
}

/** FNV-1a: stable, so that a tenant stays with its thread for as long as the process lives. */
function hash(name: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) value = Math.imul(value ^ name.charCodeAt(at), 0x01000193);
  return value >>> 0;
}
