import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Follower, LedgerChange, Settle } from '../../background/follower.js';
import { Followers } from '../../background/followers.service.js';
import { Ledger } from '../../ledger/ledger.js';
import { Settings } from '../../platform/config/settings.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { noteCompared, stillSo, unreadOf, writeReadings, type ReadMemory } from './enrichment-rows.js';
import { isRead } from './enrichment-settings.js';
import { Neighbours } from './neighbours.service.js';
import { TextReader } from './reading/text-reader.js';
import { linkPreceding, linkSimilar } from './system-relations.js';

export const ENRICHMENT = 'enrichment';

/**
 * Reads what was stored, later than it was stored: whom and what it names, what it comes to, what it is like, what came
 * before it. Everything that it writes carries the memory that it was read from, and vanishes with it.
 */
@Injectable()
export class Enrichment implements Follower, OnModuleInit {
  readonly name = ENRICHMENT;
  readonly kinds = ['memory'] as const;
  /** What its transaction keeps a tenant's writers waiting with: some ten milliseconds. */
  readonly batch = 32;
  readonly lingerMs = 250;
  readonly patient = true;

  constructor(
    private readonly ledger: Ledger,
    private readonly reader: TextReader,
    private readonly neighbours: Neighbours,
    private readonly followers: Followers,
    private readonly settings: Settings,
  ) {}

  onModuleInit(): void {
    this.followers.add(this);
  }

  /** Unless the installation or the tenant (`settings.enrichment`) has turned it off. */
  follows(tenant: Tenant): boolean {
    return this.settings.enrichment && isRead(tenant.settings);
  }

  async handle(tenant: Tenant, changes: readonly LedgerChange[]): Promise<Settle | null> {
    const memories = changes.filter(({ gone }) => !gone);
    if (memories.length === 0) return null;
    const unread = await unreadOf(this.ledger, tenant, memories);
    const texts = unread.filter(({ byModel }) => !byModel);
    const readings = await this.reader.read(tenant, texts);
    if (readings.length !== texts.length) throw new Error('A text was read without a reading');
    const readingOf = new Map(texts.map((memory, at) => [memory, readings[at]]));
    const neighbours = await this.neighbours.ofEach(tenant, unread);
    const compared = unread.map((memory, at) => ({
      ...memory,
      neighbours: neighbours[at] ?? null,
      reading: readingOf.get(memory) ?? null,
    }));
    return async (tx) => {
      for (const [workspace, ids] of byWorkspace(memories)) {
        const current = await stillSo(tx, workspace, compared);
        const read = current.flatMap(({ reading, ...memory }): ReadMemory[] =>
          reading === null || memory.byModel ? [] : [{ ...memory, reading }],
        );
        if (read.length > 0) await writeReadings(tx, workspace, read, 'offline');
        const known = current.filter(({ byModel }) => byModel);
        await noteCompared(tx, workspace, known);
        await linkSimilar(tx, workspace, current);
        await linkPreceding(tx, workspace, ids);
      }
    };
  }
}

function byWorkspace(changes: readonly LedgerChange[]): Map<WorkspaceId, string[]> {
  const ids = new Map<WorkspaceId, string[]>();
  for (const { workspace, id } of changes) ids.set(workspace, [...(ids.get(workspace) ?? []), id]);
  return ids;
}
