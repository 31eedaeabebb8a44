import type { Schemas } from '@qdrant/js-client-rest';
import type { QdrantPoint } from './memory-points.js';

type Operation = Schemas['UpdateOperation'];

/**
 * So many points share one upsert. Its filter has a clause for each, which the server tries on each that is there
 * already: the work grows with the square.
 */
const GUARDED = 64;
/**
 * A batch as requests of roughly so many bytes, at least one. Points are upserted, each only where the one that is
 * there has an older revision. (`update_filter`: a point that is there and does not pass stays as it is; a new one
 * always goes in.)
 */
export function guardedWrites(points: QdrantPoint[], requestBytes: number): Operation[][] {
  const requests: Operation[][] = [];
  let request: Operation[] = [];
  let bytes = 0;
  for (let at = 0; at < points.length; at += GUARDED) {
    const some = points.slice(at, at + GUARDED);
    const size = some.reduce((sum, point) => sum + roughBytes(point), 0);
    if (request.length > 0 && bytes + size > requestBytes) {
      requests.push(request);
      request = [];
      bytes = 0;
    }
    request.push(guardedUpsert(some));
    bytes += size;
  }
  return [...requests, request];
}

function guardedUpsert(points: QdrantPoint[]): Operation {
  const older = points.map(({ id, payload: { revision } }) => ({
    must: [{ has_id: [id] }, { key: 'revision', range: { lt: revision } }],
  }));
  return { upsert: { points, update_filter: { should: older } } };
}

/** Twelve for each number of a vector, twenty for each of a text's words, and what is beside them. */
function roughBytes({ vector }: QdrantPoint): number {
  let bytes = 700;
  for (const part of Object.values(vector)) {
    bytes += Array.isArray(part) ? part.length * 12 : part.indices.length * 20;
  }
  return bytes;
}
