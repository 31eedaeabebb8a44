import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import { ledgerId, type Changes, type LedgerHead, type LedgerId } from '../spaces/projection.js';
import { SpaceMoved } from '../spaces/space-errors.js';
import type { GraphItem } from '../spaces/graph-space.js';
import { speechOf } from '../spaces/speech.js';
import { termsOf } from '../spaces/terms.js';
import type { VectorItem } from '../spaces/vector-space.js';
import type { Tenant } from '../tenancy/principal.js';
import type { WorkspaceId } from '../tenancy/tenant.js';
import { indexedTags, MENTIONED, MENTIONED_TAGS } from './entity-names.js';
import { Ledger, WHOLE_TENANT } from './ledger.js';
import { openContent, openVector } from './sealed-memory.js';

/** How long the preparing of items may keep the event loop before it lets others through. */
const TURN_MS = 8;

interface HeadRow extends QueryResultRow {
  tenant_revision: string;
  epoch: string;
  placement: string;
  moving_to: string | null;
}

interface FeedRow extends HeadRow {
  workspace_id: WorkspaceId | null;
  id: string;
  revision: string;
  gone: boolean;
}

interface MemoryRow extends FeedRow {
  type: string;
  tags: string[];
  entity_tags: string[];
  timestamp: Date;
  t_valid: Date | null;
  /** To the indexes, what was archived holds no longer. */
  t_invalid: Date | null;
  session_id: string | null;
  user_id: string | null;
  agent_id: string | null;
  importance: number;
  confidence: number;
  content: Buffer;
  previous_id: string | null;
  previous_content: Buffer | null;
  alone_vector: Buffer | null;
  joined_vector: Buffer | null;
}

interface GraphRow extends FeedRow {
  kind: 'memory' | 'relation';
  memory_type: string;
  importance: number;
  timestamp: Date;
  entities: string[];
  relation_type: string;
  from_id: string;
  to_id: string;
  strength: number;
}

/**
 * `changesAfter`: the ledger as its projections read it. The tenant's revision and the items above the watermark
 * are read in one statement, so what is applied is a state that the ledger was in.
 */
@Injectable()
export class ChangeFeed {
  constructor(private readonly ledger: Ledger) {}

  /** Where the tenant's ledger stands. */
  async head(tenant: Tenant): Promise<LedgerHead> {
    const [row] = await this.ledger.readRows<HeadRow>(tenant, WHOLE_TENANT, HEAD, [tenant.id]);
    if (row === undefined) throw new Error(`The ledger does not know tenant ${tenant.id}`);
    return { ledger: ledgerOf(tenant, row), revision: Number(row.tenant_revision) };
  }

  /** Memories as the vector space of one model holds them. A vector whose text has changed since is left out. */
  async memoriesAfter(
    tenant: Tenant,
    model: string,
    after: number,
    limit: number,
  ): Promise<Changes<VectorItem>> {
    const read = (from: number) =>
      this.ledger.readRows<MemoryRow>(tenant, WHOLE_TENANT, MEMORIES_AFTER, [tenant.id, from, limit, model]);
    const kinds = {
      itemOf: (row: Placed<MemoryRow>) => memoryItem(tenant, row),
      tombstoneOf: memoryTombstone,
    };
    return feed(tenant, await read(after), { read, limit, ...kinds });
  }

  async graphAfter(tenant: Tenant, after: number, limit: number): Promise<Changes<GraphItem>> {
    const read = (from: number) =>
      this.ledger.readRows<GraphRow>(tenant, WHOLE_TENANT, GRAPH_AFTER, [tenant.id, from, limit]);
    return feed(tenant, await read(after), { read, limit, itemOf: graphItem, tombstoneOf: graphTombstone });
  }
}

type Placed<Row extends FeedRow> = Row & { workspace_id: WorkspaceId };

interface Reading<Row extends FeedRow, Item> {
  read: (after: number) => Promise<Row[]>;
  limit: number;
  itemOf: (row: Placed<Row>) => Item;
  tombstoneOf: (row: Placed<Row>) => Item;
}

/** The last item's revision is reached where the limit cut the batch, else the tenant's: gaps are normal. */
async function feed<Row extends FeedRow, Item>(
  tenant: Tenant,
  rows: Row[],
  reading: Reading<Row, Item>,
): Promise<Changes<Item>> {
  const [first] = rows;
  if (first === undefined) throw new Error(`The ledger does not know tenant ${tenant.id}`);
  const changed = rows.filter((row): row is Placed<Row> => row.workspace_id !== null);
  const cut = changed.length === reading.limit;
  const to = cut ? Number(changed.at(-1)?.revision) : Number(first.tenant_revision);
  const ledger = ledgerOf(tenant, first);
  // The ledger reads on while these are opened here.
  const following = cut ? reading.read(to) : null;
  // Whoever goes on hears of its failure; it may be that nobody does.
  following?.catch(() => undefined);
  const items: Item[] = [];
  const unreadable: { item: Item; error: unknown }[] = [];
  let turnEnds = performance.now() + TURN_MS;
  for (const row of changed) {
    try {
      items.push(reading.itemOf(row));
    } catch (error) {
      unreadable.push({ item: reading.tombstoneOf(row), error });
    }
    if (performance.now() > turnEnds) {
      await nextTurn();
      turnEnds = performance.now() + TURN_MS;
    }
  }
  const next = following && (async () => feed(tenant, await following, reading));
  return { ledger, to, items, unreadable, cut, ...(next === null ? {} : { next }) };
}

/**
 * The ledger's id as the spaces of `tenant.placement` store it. Where the tenant is on its way there, they are built
 * under the epoch that the switch will bring. Throws `SpaceMoved` where the tenant is neither there nor on its way.
 */
function ledgerOf(tenant: Tenant, { epoch, placement, moving_to: movingTo }: HeadRow): LedgerId {
  if (placement === tenant.placement) return ledgerId(tenant.id, Number(epoch));
  if (movingTo === tenant.placement) return ledgerId(tenant.id, Number(epoch) + 1);
  throw new SpaceMoved(tenant.slug, placement);
}

function memoryItem(tenant: Tenant, row: MemoryRow & { workspace_id: WorkspaceId }): VectorItem {
  const { workspace_id: workspace, id } = row;
  const revision = Number(row.revision);
  if (row.gone) return memoryTombstone(row);
  const content = openContent(tenant.key, workspace, id, row.content);
  const terms = termsOf(content);
  const vector = (part: 'alone' | 'joined', sealed: Buffer | null) =>
    sealed === null ? null : openVector(tenant.key, workspace, id, part, sealed);
  const before =
    row.previous_id === null || row.previous_content === null
      ? null
      : termsOf(openContent(tenant.key, workspace, row.previous_id, row.previous_content));
  return {
    workspace,
    id,
    revision,
    gone: false,
    type: row.type,
    tags: indexedTags(tenant.key, row.tags, row.entity_tags),
    timestamp: row.timestamp.getTime(),
    validFrom: row.t_valid?.getTime() ?? null,
    validUntil: row.t_invalid?.getTime() ?? null,
    session: row.session_id,
    user: row.user_id,
    agent: row.agent_id,
    ...speechOf(content),
    importance: row.importance,
    confidence: row.confidence,
    alone: { terms, vector: vector('alone', row.alone_vector) },
    joined:
      before === null ? null : { terms: [...before, ...terms], vector: vector('joined', row.joined_vector) },
  };
}

function memoryTombstone(row: MemoryRow & { workspace_id: WorkspaceId }): VectorItem {
  return { workspace: row.workspace_id, id: row.id, revision: Number(row.revision), gone: true };
}

function graphTombstone(row: GraphRow & { workspace_id: WorkspaceId }): GraphItem {
  const { kind, workspace_id: workspace, id } = row;
  return { kind, workspace, id, revision: Number(row.revision), gone: true };
}

function graphItem(row: GraphRow & { workspace_id: WorkspaceId }): GraphItem {
  const { kind, workspace_id: workspace, id } = row;
  const revision = Number(row.revision);
  if (row.gone) return graphTombstone(row);
  if (kind === 'memory') {
    return {
      kind,
      workspace,
      id,
      revision,
      gone: false,
      type: row.memory_type,
      importance: row.importance,
      timestamp: row.timestamp.getTime(),
      entities: row.entities,
    };
  }
  return {
    kind,
    workspace,
    id,
    revision,
    gone: false,
    type: row.relation_type,
    from: row.from_id,
    to: row.to_id,
    strength: row.strength,
  };
}

const HEAD = `SELECT revision AS tenant_revision, epoch, placement, moving_to FROM tenants WHERE id = $1`;

const MEMORIES_AFTER = `
SELECT t.revision AS tenant_revision, t.epoch, t.placement, t.moving_to, c.workspace_id, c.id, c.revision, c.gone,
  m.type, m.tags, ${MENTIONED_TAGS} AS entity_tags, m.timestamp, m.t_valid,
  least(m.t_invalid, m.archived_at) AS t_invalid, m.session_id, m.user_id, m.agent_id, m.importance,
  m.confidence, m.content,
  m.previous_id, p.content AS previous_content, a.vector AS alone_vector, j.vector AS joined_vector
FROM tenants t
LEFT JOIN LATERAL (
  SELECT * FROM changes WHERE tenant_id = $1 AND revision > $2 AND kind = 'memory' ORDER BY revision LIMIT $3
) c ON true
LEFT JOIN memories m ON m.tenant_id = $1 AND m.workspace_id = c.workspace_id AND m.id = c.id AND NOT c.gone
LEFT JOIN memories p ON p.tenant_id = $1 AND p.workspace_id = m.workspace_id AND p.id = m.previous_id
LEFT JOIN embeddings a ON a.tenant_id = $1 AND a.workspace_id = m.workspace_id AND a.memory_id = m.id
  AND a.part = 'alone' AND a.model = $4 AND a.hash = m.alone_hash
LEFT JOIN embeddings j ON j.tenant_id = $1 AND j.workspace_id = m.workspace_id AND j.memory_id = m.id
  AND j.part = 'joined' AND j.model = $4 AND j.hash = m.joined_hash
WHERE t.id = $1
ORDER BY c.revision`;

const GRAPH_AFTER = `
SELECT t.revision AS tenant_revision, t.epoch, t.placement, t.moving_to, c.workspace_id, c.kind, c.id, c.revision, c.gone,
  m.type AS memory_type, m.importance, m.timestamp, ${MENTIONED} AS entities,
  r.type AS relation_type, r.from_id, r.to_id, r.strength
FROM tenants t
LEFT JOIN LATERAL (
  SELECT * FROM changes WHERE tenant_id = $1 AND revision > $2 ORDER BY revision LIMIT $3
) c ON true
LEFT JOIN memories m ON c.kind = 'memory' AND m.tenant_id = $1 AND m.workspace_id = c.workspace_id AND m.id = c.id AND NOT c.gone
LEFT JOIN relations r ON c.kind = 'relation' AND r.tenant_id = $1 AND r.workspace_id = c.workspace_id AND r.id = c.id AND NOT c.gone
WHERE t.id = $1
ORDER BY c.revision`;
