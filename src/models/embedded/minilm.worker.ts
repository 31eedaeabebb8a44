/** A worker thread's entry: loads MiniLM, says so, then answers texts, queries first. Started by `MiniLmThread`. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { MiniLmSession } from './minilm-session.js';
import type { ThreadOptions, ThreadReply, ThreadRequest } from './minilm-thread.js';
import { TextQueue } from './text-queue.js';

if (parentPort === null) throw new Error('This file is the entry of a worker thread');
const port = parentPort;
const { cacheDir, precision } = workerData as ThreadOptions;
const session = await MiniLmSession.load(cacheDir, precision);
const queue = new TextQueue<ThreadRequest>();
let working = false;
let ending = false;

async function work(): Promise<void> {
  if (working) return;
  working = true;
  for (let request = queue.next(); request !== undefined && !ending; request = queue.next()) {
    await answer(request);
    // What arrived meanwhile is let in, because it may be a query.
    await nextTurn();
  }
  working = false;
}

async function answer({ id, text }: ThreadRequest): Promise<void> {
  try {
    const { buffer } = await session.embed(text);
    reply({ id, buffer }, [buffer]);
  } catch (error) {
    reply({ id, reason: String(error) }, []);
  }
}

function reply(message: ThreadReply, transfer: ArrayBuffer[]): void {
  port.postMessage(message, transfer);
}

port.on('message', (request: ThreadRequest | 'end') => {
  if (request === 'end') {
    ending = true;
    // Nothing keeps the thread any more: it ends after the text it is at.
    port.close();
    return;
  }
  queue.add(request);
  void work();
});
reply({ ready: true }, []);
