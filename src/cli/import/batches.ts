import type { Wanted } from './request-bodies.js';

/** Small enough that a bar moves and that a repeated request is cheap; the routes take 500. */
const MOST = 200;
/** The routes take 32 MB. */
const MOST_BYTES = 8_000_000;

export interface Batch {
  workspace: string | null;
  wanted: Wanted[];
}

/** Requests' worth of records in the order in which they come; a request is about one workspace. */
export async function* batchesOf(wanted: AsyncIterable<Wanted>): AsyncIterable<Batch> {
  const open = new Map<string | null, Batch & { bytes: number }>();
  for await (const each of wanted) {
    const { workspace } = each;
    const bytes = Buffer.byteLength(JSON.stringify(each.body));
    let batch = open.get(workspace);
    if (batch !== undefined && (batch.wanted.length >= MOST || batch.bytes + bytes > MOST_BYTES)) {
      yield batch;
      batch = undefined;
    }
    batch ??= { workspace, wanted: [], bytes: 0 };
    batch.wanted.push(each);
    batch.bytes += bytes;
    open.set(workspace, batch);
  }
  yield* open.values();
}
