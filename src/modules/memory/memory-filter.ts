import type { QueryResultRow } from 'pg';
import { comparedTag } from '../../ledger/compared-tags.js';
import { indexedTags, MENTIONED_TAGS } from '../../ledger/entity-names.js';
import type { LedgerRead } from '../../ledger/ledger.js';
import type { Filter } from '../../spaces/vector-space.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import type { Memory } from './memory.js';

/** How the tags of entities begin. A question may ask for the beginning of a tag. */
const ENTITY = 'entity:';

/**
 * Whether a filter lets each of these memories through, as the spaces read it: an empty list of tags or types asks for
 * nothing. For memories that come by another way than the spaces' search, which asks no less of them.
 * The ledger is asked only where the filter names an entity, as the indexes know the tags of those alone.
 */
export async function filterOf(
  tx: LedgerRead,
  workspace: WorkspaceId,
  filter: Filter,
  memories: ReadonlyMap<string, Memory>,
): Promise<(memory: Memory) => boolean> {
  const named = [...(filter.tags?.values ?? []), ...(filter.excludeTags ?? [])];
  if (memories.size === 0 || !named.some((tag) => tag.startsWith(ENTITY) || ENTITY.startsWith(tag))) {
    return (memory) => passes(filter, memory, memory.tags.map(comparedTag));
  }
  const rows = await tx.rows<QueryResultRow & { id: string; tags: string[] }>(MENTIONED, [
    tx.tenant.id,
    workspace,
    [...memories.keys()],
  ]);
  const derived = new Map(rows.map(({ id, tags }) => [id, tags]));
  return (memory) =>
    passes(filter, memory, indexedTags(tx.tenant.key, memory.tags, derived.get(memory.id) ?? []));
}

function passes(filter: Filter, memory: Memory, tags: readonly string[]): boolean {
  const { types = [], excludeTags = [], from, until, session, user, agent, validAt } = filter;
  const at = memory.timestamp.getTime();
  return (
    hasTags(filter.tags, tags) &&
    !tags.some((tag) => excludeTags.includes(tag)) &&
    (types.length === 0 || types.includes(memory.type)) &&
    (from === undefined || at >= from) &&
    (until === undefined || at <= until) &&
    (session === undefined || memory.session === session) &&
    (user === undefined || memory.user === user) &&
    (agent === undefined || memory.agent === agent) &&
    (validAt === undefined || holdsAt(validAt, memory))
  );
}

function hasTags(wanted: Filter['tags'], tags: readonly string[]): boolean {
  if (wanted === undefined || wanted.values.length === 0) return true;
  const { values, mode, match } = wanted;
  const has = (value: string): boolean =>
    match === 'exact' ? tags.includes(value) : tags.some((tag) => tag.startsWith(value));
  return mode === 'all' ? values.every(has) : values.some(has);
}

function holdsAt(moment: number, { validFrom, validUntil, archivedAt }: Memory): boolean {
  const after = (time: Date | null): boolean => time === null || time.getTime() > moment;
  const begun = validFrom === null || validFrom.getTime() <= moment;
  return begun && after(validUntil) && after(archivedAt);
}

const MENTIONED = `
SELECT m.id, ${MENTIONED_TAGS} AS tags FROM memories m
WHERE m.tenant_id = $1 AND m.workspace_id = $2 AND m.id = ANY($3::uuid[])`;
