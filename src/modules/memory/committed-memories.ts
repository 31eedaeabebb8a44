import { setImmediate as nextTurn } from 'node:timers/promises';
import { indexedTags } from '../../ledger/entity-names.js';
import type { Written } from '../../ledger/ledger.js';
import type { MemoryNode } from '../../spaces/graph-space.js';
import type { CommittedItems } from '../../spaces/space.js';
import { speechOf } from '../../spaces/speech.js';
import { termsOf } from '../../spaces/terms.js';
import type { MemoryPoint } from '../../spaces/vector-space.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { TenantKey } from '../../tenancy/tenant-key.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import type { PlacedMemory } from './memory-rows.js';
import type { MadeVector } from './vector-rows.js';

/** How long the preparing of items may keep the event loop before it lets others through. */
const TURN_MS = 8;

/** Memories that one write has added, with what their place in the indexes depends on. */
export interface AddedMemories {
  memories: PlacedMemory[];
  /** By id: of them, and of those that come before them in their sessions. */
  contents: ReadonlyMap<string, string>;
  vectors: MadeVector[];
}

/** What projections hold of them. */
export interface AddedItems {
  points: MemoryPoint[];
  nodes: MemoryNode[];
}

/**
 * What projections hold of memories that are being added, so that nobody has to read them back. It is worked out while
 * the database writes them, and never throws.
 *
 * It must be what `ChangeFeed` would tell, to the last bit: `verify` compares the two.
 */
export async function itemsOf(
  { key, embeddingModel: model }: Tenant,
  workspace: WorkspaceId,
  { memories, contents, vectors }: AddedMemories,
): Promise<AddedItems> {
  // What closes the transaction goes first.
  await nextTurn();
  const made = new Map(
    vectors.flatMap((one) => (one.model === model ? [[`${one.id}/${one.part}`, one.vector] as const] : [])),
  );
  const points: MemoryPoint[] = [];
  const nodes: MemoryNode[] = [];
  let turnEnds = performance.now() + TURN_MS;
  for (const memory of memories) {
    const before = memory.previous === null ? undefined : contents.get(memory.previous);
    points.push(pointOf(key, workspace, memory, before, made));
    nodes.push(nodeOf(workspace, memory));
    if (performance.now() > turnEnds) {
      await nextTurn();
      turnEnds = performance.now() + TURN_MS;
    }
  }
  return { points, nodes };
}

/** Null where the write changed more than these, or where the spaces' ledger is not the one that was written. */
export function committedMemories(
  { ledger, from, revision }: Written<unknown>,
  { points, nodes }: AddedItems,
): CommittedItems | null {
  if (ledger === null || revision - from !== points.length) return null;
  const reach = { ledger, from, to: revision };
  return { vectors: { ...reach, items: points }, graph: { ...reach, items: nodes } };
}

function pointOf(
  key: TenantKey,
  workspace: WorkspaceId,
  { id, position, draft }: PlacedMemory,
  before: string | undefined,
  made: ReadonlyMap<string, Float32Array>,
): MemoryPoint {
  const terms = termsOf(draft.content);
  return {
    workspace,
    id,
    revision: position,
    gone: false,
    type: draft.type,
    tags: indexedTags(key, draft.tags, []),
    timestamp: draft.timestamp.getTime(),
    validFrom: draft.validFrom?.getTime() ?? null,
    validUntil: draft.validUntil?.getTime() ?? null,
    session: draft.session,
    user: draft.user,
    agent: draft.agent,
    ...speechOf(draft.content),
    importance: asReal(draft.importance),
    confidence: asReal(draft.confidence),
    alone: { terms, vector: made.get(`${id}/alone`) ?? null },
    joined:
      before === undefined
        ? null
        : { terms: [...termsOf(before), ...terms], vector: made.get(`${id}/joined`) ?? null },
  };
}

function nodeOf(workspace: WorkspaceId, { id, position, draft }: PlacedMemory): MemoryNode {
  return {
    kind: 'memory',
    workspace,
    id,
    revision: position,
    gone: false,
    type: draft.type,
    importance: asReal(draft.importance),
    timestamp: draft.timestamp.getTime(),
    // Nobody has read it yet.
    entities: [],
  };
}

/** What becomes of a number that the ledger keeps in 32 bits: the shortest that is the same in 32 bits. */
function asReal(value: number): number {
  const kept = Math.fround(value);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(kept.toPrecision(digits));
    if (Math.fround(short) === kept) return short;
  }
  return Number(kept.toPrecision(9));
}
