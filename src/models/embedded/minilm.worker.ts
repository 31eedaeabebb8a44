/** A worker thread's entry: loads MiniLM, says so, then answers one text at a time. Started by `MiniLmThread`. */
import { parentPort, workerData } from 'node:worker_threads';
import { MiniLmSession } from './minilm-session.js';
import type { ThreadOptions, ThreadReply } from './minilm-thread.js';

if (parentPort === null) throw new Error('This file is the entry of a worker thread');
const port = parentPort;
const { cacheDir, precision } = workerData as ThreadOptions;
const session = await MiniLmSession.load(cacheDir, precision);

async function answer(text: string): Promise<void> {
  try {
    const { buffer } = await session.embed(text);
    reply({ kind: 'vector', buffer }, [buffer]);
  } catch (error) {
    reply({ kind: 'failed', reason: String(error) }, []);
  }
}

function reply(message: ThreadReply, transfer: ArrayBuffer[]): void {
  port.postMessage(message, transfer);
}

port.on('message', (text: string) => void answer(text));
reply({ kind: 'ready' }, []);
