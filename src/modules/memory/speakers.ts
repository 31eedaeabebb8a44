import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Spaces } from '../../spaces/spaces.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';

/** Where more people speak than this, those beyond are not known by name. */
const MOST = 1_000;
const WORKSPACES_KNOWN = 2_000;
/** Somebody who begins to speak is known this much later: it moves a question's vector a little, and nothing else. */
const KNOWN_FOR_MS = 5_000;

const NOBODY: ReadonlySet<string> = new Set();

/** The names of those who speak in a workspace, as terms. Asked of the space and known for a moment. */
@Injectable()
export class Speakers {
  private readonly known = new LRUCache<string, Promise<ReadonlySet<string>>>({
    max: WORKSPACES_KNOWN,
    ttl: KNOWN_FOR_MS,
  });

  constructor(private readonly spaces: Spaces) {}

  /** Nobody where the space does not answer: the question is then asked as it stands. */
  of(tenant: Tenant, workspace: WorkspaceId): Promise<ReadonlySet<string>> {
    const name = `${tenant.id}/${workspace}/${tenant.embeddingModel}/${tenant.placement}`;
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const asked = this.ask(tenant, workspace);
    this.known.set(name, asked);
    return asked;
  }

  private async ask(tenant: Tenant, workspace: WorkspaceId): Promise<ReadonlySet<string>> {
    try {
      const speakers = await this.spaces.open(tenant).vectors.speakers(workspace, MOST);
      return new Set(speakers.flatMap((speaker) => speaker.split(' ')));
    } catch {
      // The search that follows meets the same store, and says what is wrong with it.
      return NOBODY;
    }
  }
}
