import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import type { Follower, LedgerChange, Settle } from '../../background/follower.js';
import { Followers } from '../../background/followers.service.js';
import { Ledger } from '../../ledger/ledger.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import { Settings } from '../../platform/config/settings.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { unreadOf, writeReadings, type ReadMemory } from './enrichment-rows.js';
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
    return this.settings.enrichment && tenant.settings['enrichment'] !== false;
  }

  async handle(tenant: Tenant, changes: readonly LedgerChange[]): Promise<Settle | null> {
    const memories = changes.filter(({ gone }) => !gone);
    if (memories.length === 0) return null;
    const unread = await unreadOf(this.ledger, tenant, memories);
    const readings = await this.reader.read(tenant, unread);
    const neighbours = await this.neighbours.ofEach(tenant, unread);
    const read = unread.map((memory, at): ReadMemory => {
      const reading = readings[at];
      if (reading === undefined) throw new Error('A text was read without a reading');
      return { ...memory, reading, neighbours: neighbours[at] ?? null };
    });
    return async (tx) => {
      for (const [workspace, ids] of byWorkspace(memories)) {
        const current = await stillSo(
          tx,
          workspace,
          read.filter((memory) => memory.workspace === workspace),
        );
        if (current.length > 0) {
          await writeReadings(tx, workspace, current);
          await linkSimilar(tx, workspace, current);
        }
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

/** Those whose text is the one that was read. The others have changed since, and come again. */
async function stillSo(tx: LedgerWrite, workspace: WorkspaceId, read: ReadMemory[]): Promise<ReadMemory[]> {
  if (read.length === 0) return [];
  const rows = await tx.rows<QueryResultRow & { id: string; alone_hash: Buffer }>(
    `SELECT id, alone_hash FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[])`,
    [tx.tenant.id, workspace, read.map(({ id }) => id)],
  );
  const hashes = new Map(rows.map((row) => [row.id, row.alone_hash]));
  return read.filter(({ id, hash }) => hashes.get(id)?.equals(hash) === true);
}
