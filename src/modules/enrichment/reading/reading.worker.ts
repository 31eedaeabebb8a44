/** A worker thread's entry: reads texts, one after the other. Started by `ReadingThread`. */
import { constants, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { entitiesIn } from './entities.js';
import type { ReadingReply, ReadingRequest } from './reading-thread.js';
import { summaryOf } from './summary.js';

if (parentPort === null) throw new Error('This file is the entry of a worker thread');
const port = parentPort;
// Linux gives each thread a priority of its own; elsewhere it would be the whole server's.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_LOW);

port.on('message', ({ id, texts }: ReadingRequest) => {
  let reply: ReadingReply;
  try {
    const readings = texts.map(({ text, said }) => ({
      entities: entitiesIn(text, new Date(said)),
      summary: summaryOf(text),
    }));
    reply = { id, readings };
  } catch (error) {
    reply = { id, reason: String(error) };
  }
  port.postMessage(reply);
});
