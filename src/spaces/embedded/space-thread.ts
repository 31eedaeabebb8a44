import Sqlite from 'better-sqlite3';
import { parentPort, workerData } from 'node:worker_threads';
import type { SpaceName } from '../../tenancy/tenant.js';
import { NOTHING_COUNTED } from '../graph-space.js';
import { NOTHING_APPLIED } from '../projection.js';
import { OpenFiles } from './open-files.js';
import {
  NO_CANDIDATES,
  type SpaceWork,
  type ThreadOptions,
  type WorkKind,
  type WorkReply,
  type WorkRequest,
} from './space-work.js';

/** The thread's side: one call after another, each against the one file that it names. */
if (parentPort === null) throw new Error('This file runs as a worker thread');
const port = parentPort;
const { folder, maxOpen, vectorBytes } = workerData as ThreadOptions;
const files = new OpenFiles(folder, maxOpen, vectorBytes);

type Handlers = {
  [Kind in WorkKind]: (space: SpaceName, args: SpaceWork[Kind]['args']) => SpaceWork[Kind]['result'];
};

const handlers: Handlers = {
  ping: () => null,
  drop: (space) => {
    files.drop(space);
    return null;
  },
  size: (space) => files.size(space),
  'vectors.watermark': (space, { model }) =>
    files.read(space, NOTHING_APPLIED, (open) => open.vectors(model).watermark()),
  'vectors.apply': (space, { model, batch }) => {
    // A batch that was read after some watermark says nothing about a store that does not exist.
    if (batch.from.ledger !== null && files.read(space, true, () => false)) return 'moved';
    return files.write(space, (open) => open.vectors(model).apply(batch));
  },
  'vectors.search': (space, { model, query }) =>
    files.read(space, NO_CANDIDATES, (open) => open.vectors(model).search(query)),
  'vectors.near': (space, { model, query }) =>
    files.read(
      space,
      query.vectors.map(() => []),
      (open) => open.vectors(model).near(query),
    ),
  'vectors.speakers': (space, { model, workspace, limit }) =>
    files.read(space, [], (open) => open.vectors(model).speakers(workspace, limit)),
  'vectors.count': (space, { model }) => files.read(space, 0, (open) => open.vectors(model).count()),
  'vectors.list': (space, { model }) => files.read(space, [], (open) => open.vectors(model).list()),
  'vectors.drop': (space, { model }) => {
    if (files.read(space, false, (open) => open.vectors(model).drop())) files.drop(space);
    return null;
  },
  'graph.watermark': (space) => files.read(space, NOTHING_APPLIED, (open) => open.graph.watermark()),
  'graph.apply': (space, { batch }) => {
    if (batch.from.ledger !== null && files.read(space, true, () => false)) return 'moved';
    return files.write(space, (open) => open.graph.apply(batch));
  },
  'graph.related': (space, { query }) => files.read(space, [], (open) => open.graph.related(query)),
  'graph.linksOf': (space, { query }) => files.read(space, [], (open) => open.graph.linksOf(query)),
  'graph.path': (space, { query }) =>
    files.read(space, { links: null, complete: true }, (open) => open.graph.path(query)),
  'graph.sharersOf': (space, { query }) => files.read(space, [], (open) => open.graph.sharersOf(query)),
  'graph.count': (space) => files.read(space, NOTHING_COUNTED, (open) => open.graph.count()),
  'graph.list': (space) => files.read(space, [], (open) => open.graph.list()),
  'graph.drop': (space) => {
    if (files.read(space, false, (open) => open.graph.drop())) files.drop(space);
    return null;
  },
  close: () => {
    files.closeAll();
    return null;
  },
};

port.on('message', (requests: WorkRequest[]) => {
  for (const request of requests) port.postMessage(answer(request));
});

function answer({ call, space, kind, args }: WorkRequest): WorkReply {
  try {
    // The kind and its arguments were paired when the request was made (`SpaceThreads.call`).
    const handler = handlers[kind] as (
      space: SpaceName,
      args: WorkRequest['args'],
    ) => SpaceWork[WorkKind]['result'];
    return { call, result: handler(space, args) };
  } catch (error) {
    return { call, error: { message: describe(error), outage: isOutage(error) } };
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** The disk, the memory or the file's locks, and not what was asked. */
function isOutage(error: unknown): boolean {
  if (error instanceof Sqlite.SqliteError) {
    return /^SQLITE_(FULL|IOERR|CANTOPEN|BUSY|LOCKED|NOMEM|READONLY|PERM|PROTOCOL)/.test(error.code);
  }
  return error instanceof Error && 'syscall' in error;
}
