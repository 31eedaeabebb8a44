import { Injectable } from '@nestjs/common';
import { Spaces } from '../../spaces/spaces.js';
import { NEAR_AT_ONCE, type Near } from '../../spaces/vector-space.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';

/** Cosine from which on two memories are about the same. */
export const SIMILAR = 0.8;
/** So many of a memory's nearest are linked to it. */
export const LINKED = 5;
/** So many are looked at, so that a link which another memory made is known to hold still. */
const LOOKED_AT = 25;

/** A memory to compare with the others of its workspace. */
export interface Compared {
  workspace: WorkspaceId;
  id: string;
  vector: Float32Array | null;
}

/** A memory that is about the same as another, nearest first. */
export interface Neighbour {
  id: string;
  /** 0.8..1 */
  cosine: number;
}

/** Who is near a memory, in the tenant's own vector space: near-duplicates too, which are linked and never dropped. */
@Injectable()
export class Neighbours {
  constructor(private readonly spaces: Spaces) {}

  /** For each memory that has a vector; null for the others. Throws `SpaceUnavailable`, `SpaceWaking`. */
  async ofEach(tenant: Tenant, memories: readonly Compared[]): Promise<(Neighbour[] | null)[]> {
    if (memories.every(({ vector }) => vector === null)) return memories.map(() => null);
    const space = this.spaces.open(tenant);
    // So that those that came together find one another.
    await space.ready('vectors');
    const found: (Neighbour[] | null)[] = memories.map(() => null);
    // One call after the other: a question that comes meanwhile waits for one at the most.
    for (const { workspace, asked } of inCalls(memories)) {
      const vectors = asked.map(({ vector }) => vector);
      const query = { workspace, vectors, atLeast: SIMILAR, filter: {}, limit: LOOKED_AT };
      const near = await space.vectors.near(query);
      asked.forEach(({ at, id }, i) => (found[at] = (near[i] ?? []).flatMap((one) => other(id, one))));
    }
    return found;
  }
}

interface Call {
  workspace: WorkspaceId;
  asked: { at: number; id: string; vector: Float32Array }[];
}

/** In their order, as many at once as one call takes. */
function inCalls(memories: readonly Compared[]): Call[] {
  const calls: Call[] = [];
  for (const [at, { workspace, id, vector }] of memories.entries()) {
    if (vector === null) continue;
    const last = calls.at(-1);
    if (last?.workspace === workspace && last.asked.length < NEAR_AT_ONCE)
      last.asked.push({ at, id, vector });
    else calls.push({ workspace, asked: [{ at, id, vector }] });
  }
  return calls;
}

function other(id: string, near: Near): Neighbour[] {
  return near.id === id ? [] : [{ id: near.id, cosine: Math.min(1, near.cosine) }];
}
