import { CatchUp } from '../../../src/spaces/catch-up.js';
import type { GraphItem, GraphSpace } from '../../../src/spaces/graph-space.js';
import { ledgerId, type Changes, type LedgerId } from '../../../src/spaces/projection.js';
import { isOutage } from '../../../src/spaces/space-errors.js';
import type { TenantId, WorkspaceId } from '../../../src/tenancy/tenant.js';

/** A tenant's ledger as the graph sees it: each item in its newest revision. */
export class GraphLedger {
  readonly id: LedgerId;
  readonly unindexable: string[] = [];
  private readonly items = new Map<string, GraphItem>();
  private revision = 0;

  constructor(
    tenant: TenantId,
    readonly workspace: WorkspaceId,
    epoch = 1,
  ) {
    this.id = ledgerId(tenant, epoch);
  }

  memory(...ids: string[]): void {
    for (const id of ids) {
      const words = { type: 'Context', importance: 0.5, timestamp: 0, entities: ['people:x'] };
      this.put({ kind: 'memory', workspace: this.workspace, id, revision: 0, gone: false, ...words });
    }
  }

  relation(from: string, to: string, { id = `${from}-${to}`, type = 'RELATES_TO', strength = 1 } = {}): void {
    const ends = { from, to, type, strength };
    this.put({ kind: 'relation', workspace: this.workspace, id, revision: 0, gone: false, ...ends });
  }

  forget(kind: 'memory' | 'relation', id: string): void {
    this.put({ kind, workspace: this.workspace, id, revision: 0, gone: true });
  }

  after(revision: number, limit: number): Changes<GraphItem> {
    const newer = [...this.items.values()].filter((item) => item.revision > revision);
    const items = newer.sort((a, b) => a.revision - b.revision).slice(0, limit);
    const cut = newer.length > limit;
    return {
      ledger: this.id,
      to: cut ? (items.at(-1)?.revision ?? 0) : this.revision,
      items,
      cut,
      unreadable: [],
    };
  }

  catchUp(space: GraphSpace): CatchUp<GraphItem> {
    return new CatchUp(
      space,
      (after, limit) => Promise.resolve(this.after(after, limit)),
      (item) => Promise.resolve(void this.unindexable.push(item.id)),
      isOutage,
    );
  }

  /** What a projection that has caught up holds, in the order of `listed()`. */
  expected(): string[] {
    return [...this.items.values()]
      .filter((item) => !item.gone)
      .map(nameOf)
      .sort();
  }

  private put(item: GraphItem): void {
    this.revision++;
    this.items.set(`${item.kind}:${item.id}`, { ...item, revision: this.revision });
  }
}

export async function listed(space: GraphSpace): Promise<string[]> {
  return (await space.list()).map(nameOf).sort();
}

function nameOf({ kind, id, revision }: { kind: string; id: string; revision: number }): string {
  return `${kind} ${id} @${revision}`;
}
