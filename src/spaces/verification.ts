import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { Ledger, WHOLE_TENANT } from '../ledger/ledger.js';
import { SpaceEpochs } from '../ledger/space-epochs.js';
import type { Tenant } from '../tenancy/principal.js';
import { Spaces } from './spaces.js';

/** One projection held against the ledger. The examples are ids, at most ten of each kind. */
export interface ProjectionVerdict {
  /** Both hold the same items at the same revisions. */
  equal: boolean;
  inLedger: number;
  inProjection: number;
  /** In the ledger, not in the projection. */
  missing: { count: number; examples: string[] };
  /** In the projection, not in the ledger. */
  surplus: { count: number; examples: string[] };
  /** In both, at another revision. */
  stale: { count: number; examples: string[] };
}

export interface Verdict {
  vectors: ProjectionVerdict;
  graph: ProjectionVerdict;
}

interface Item {
  /** Kind, workspace and id. */
  name: string;
  revision: number;
}

interface ItemRow extends QueryResultRow {
  workspace_id: string;
  kind: 'memory' | 'relation';
  id: string;
  revision: string;
  refused_by: string[];
}

const EXAMPLES = 10;

/** Does every projection equal its ledger? And, where it does not, build it anew. */
@Injectable()
export class Verification {
  constructor(
    private readonly ledger: Ledger,
    private readonly spaces: Spaces,
    private readonly epochs: SpaceEpochs,
  ) {}

  /** Catches up first: what is merely on its way is no difference. Items that an engine refused are not expected of it. */
  async verify(tenant: Tenant): Promise<Verdict> {
    const space = this.spaces.open(tenant);
    await space.catchUp();
    const items = await this.ledger.read(tenant, WHOLE_TENANT, (tx) => tx.rows<ItemRow>(ITEMS, [tenant.id]));
    const [points, nodes] = await Promise.all([space.vectors.list(), space.graph.list()]);
    const expected = (projection: string, kinds: string[]) =>
      items
        .filter(
          ({ kind, refused_by: by }) =>
            kinds.includes(kind) && !by.some((name) => name.startsWith(projection)),
        )
        .map((row): Item => ({
          name: `${row.kind}/${row.workspace_id}/${row.id}`,
          revision: Number(row.revision),
        }));
    return {
      vectors: compare(
        expected('vectors', ['memory']),
        points.map(({ workspace, id, revision }) => ({ name: `memory/${workspace}/${id}`, revision })),
      ),
      graph: compare(
        expected('graph', ['memory', 'relation']),
        nodes.map(({ kind, workspace, id, revision }) => ({ name: `${kind}/${workspace}/${id}`, revision })),
      ),
    };
  }

  /** Drops what there is and replays the ledger: under a new epoch, so that nothing of the old can come back. */
  async rebuild(tenant: Tenant): Promise<void> {
    await this.epochs.advance(tenant);
    await this.spaces.open(tenant).catchUp();
  }
}

function compare(ledger: Item[], projection: Item[]): ProjectionVerdict {
  const held = new Map(projection.map(({ name, revision }) => [name, revision]));
  const missing = ledger.filter(({ name }) => !held.has(name));
  const stale = ledger.filter(({ name, revision }) => held.has(name) && held.get(name) !== revision);
  const known = new Set(ledger.map(({ name }) => name));
  const surplus = projection.filter(({ name }) => !known.has(name));
  const told = (items: Item[]) => ({
    count: items.length,
    examples: items.slice(0, EXAMPLES).map(({ name }) => name),
  });
  return {
    equal: missing.length + stale.length + surplus.length === 0,
    inLedger: ledger.length,
    inProjection: projection.length,
    missing: told(missing),
    surplus: told(surplus),
    stale: told(stale),
  };
}

const ITEMS = `
SELECT c.workspace_id, c.kind, c.id, c.revision,
  ARRAY(SELECT u.projection FROM unindexable u WHERE u.tenant_id = c.tenant_id AND u.workspace_id = c.workspace_id
    AND u.kind = c.kind AND u.id = c.id AND u.revision = c.revision) AS refused_by
FROM changes c WHERE c.tenant_id = $1 AND NOT c.gone`;
