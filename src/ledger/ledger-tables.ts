import type { ChangeKind } from './ledger-write.js';

/**
 * The tables that make up a tenant's ledger: they are where its home is, and move with it.
 *
 * Everything else stays: what is provisioned is in the main database, audit records are where they were written, usage
 * where it was counted until it is carried to the main database, and claims of idempotency beside the transaction that
 * settles them.
 */

/** Rows of items that have a revision: a copy follows them change by change. Parents before their children. */
export const FOLLOWED_TABLES: readonly { name: string; kind: ChangeKind; id: string }[] = [
  { name: 'memories', kind: 'memory', id: 'id' },
  { name: 'memory_history', kind: 'memory', id: 'memory_id' },
  { name: 'embeddings', kind: 'memory', id: 'memory_id' },
  { name: 'mentions', kind: 'memory', id: 'memory_id' },
  { name: 'relations', kind: 'relation', id: 'id' },
];

/** What changes without a revision, and is little: a copy takes the whole of it once nothing is written any more. */
export const WHOLE_TABLES: readonly string[] = [
  'pending_vectors',
  'unindexable',
  'memory_stats',
  'enrichments',
  'entity_aliases',
  'followers',
  'trigger_deliveries',
  'trigger_writes',
  'derived_memories',
  'deleted_memories',
  'deleted_relations',
];

/** All of them, children before their parents: the order in which to erase. */
export const LEDGER_TABLES: readonly string[] = [
  ...WHOLE_TABLES,
  ...FOLLOWED_TABLES.map(({ name }) => name).reverse(),
  'changes',
];
