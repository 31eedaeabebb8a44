import { Injectable } from '@nestjs/common';
import { Spaces } from '../../spaces/spaces.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';

/** Cosine from which on two memories are about the same. */
export const SIMILAR = 0.8;
/** So many of a memory's nearest are linked to it. */
export const LINKED = 5;
/** So many are looked at, so that a link which another memory made is known to hold still. */
const LOOKED_AT = 25;

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

  /** Throws `SpaceUnavailable` where the space does not answer. */
  async of(tenant: Tenant, workspace: WorkspaceId, id: string, vector: Float32Array): Promise<Neighbour[]> {
    // Looking after a space is no use of it.
    const { vectors } = this.spaces.peek(tenant);
    const candidates = await vectors.search({
      workspace,
      vector,
      terms: [],
      marks: [],
      filter: {},
      limit: LOOKED_AT,
    });
    return candidates
      .flatMap(({ id: other, vector: { alone } }) =>
        other === id || alone === null || alone < SIMILAR ? [] : { id: other, cosine: Math.min(1, alone) },
      )
      .sort((a, b) => b.cosine - a.cosine || (a.id < b.id ? -1 : 1));
  }
}
