import { Injectable } from '@nestjs/common';
import { Spaces } from '../../spaces/spaces.js';
import type { VectorSpace } from '../../spaces/vector-space.js';
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
    const found: (Neighbour[] | null)[] = [];
    for (const { workspace, id, vector } of memories) {
      // One after the other: a question that comes meanwhile waits for one search at the most.
      found.push(vector === null ? null : await near(space.vectors, workspace, id, vector));
    }
    return found;
  }
}

async function near(
  vectors: VectorSpace,
  workspace: WorkspaceId,
  id: string,
  vector: Float32Array,
): Promise<Neighbour[]> {
  const found = await vectors.near({ workspace, vector, atLeast: SIMILAR, filter: {}, limit: LOOKED_AT });
  return found.flatMap(({ id: other, cosine }) =>
    other === id ? [] : { id: other, cosine: Math.min(1, cosine) },
  );
}
