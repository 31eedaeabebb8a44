import { comparedTag } from './compared-tags.js';
import type { TenantKey } from '../tenancy/tenant-key.js';
import type { WorkspaceId } from '../tenancy/tenant.js';

/**
 * Entities are named in what is sealed, so their names are nowhere in the clear: an entity is known by an HMAC of its kind
 * and slug, and so is the tag that every memory which mentions it bears in the indexes, `entity:<kind>:<hmac>`.
 */
const ENTITY_TAG = /^entity:([a-z]+):(.+)$/;
const KEY = /^[0-9a-f]{32}$/;

export function entityKey(key: TenantKey, kind: string, slug: string): string {
  return key.hash('entity', kind, slug).subarray(0, 16).toString('hex');
}

/** How a tag is written in the indexes, where it is the tag of an entity, `entity:people:alice-johnson`; else null. */
function indexedTag(key: TenantKey, tag: string): string | null {
  const [, kind, slug] = ENTITY_TAG.exec(tag) ?? [];
  if (kind === undefined || slug === undefined || KEY.test(slug)) return null;
  return `entity:${kind}:${entityKey(key, kind, slug)}`;
}

/** The tags of a memory as the indexes hold them: its own as they are compared, and those of the entities that it mentions. */
export function indexedTags(key: TenantKey, given: readonly string[], derived: readonly string[]): string[] {
  const own = given.map(comparedTag);
  // One that brings an entity's tag of its own, as memories from AutoMem do, is found by it as one that mentions it.
  const translated = own.map((tag) => indexedTag(key, tag)).filter((tag) => tag !== null);
  return [...new Set([...own, ...translated, ...derived])];
}

/** The tags that a question asks for, as the indexes hold them. */
export function askedTags(key: TenantKey, asked: readonly string[]): string[] {
  return asked.map(comparedTag).map((tag) => indexedTag(key, tag) ?? tag);
}

export function sealEntityName(
  key: TenantKey,
  workspace: WorkspaceId,
  memory: string,
  found: string,
  name: string,
): Buffer {
  return key.seal(name, { table: 'mentions', row: `${workspace}/${memory}/${found}`, column: 'name' });
}

export function openEntityName(
  key: TenantKey,
  workspace: WorkspaceId,
  memory: string,
  found: string,
  sealed: Buffer,
): string {
  const place = { table: 'mentions', row: `${workspace}/${memory}/${found}`, column: 'name' };
  return key.open(sealed, place).toString('utf8');
}

export function sealSummary(key: TenantKey, workspace: WorkspaceId, memory: string, summary: string): Buffer {
  return key.seal(summary, { table: 'enrichments', row: `${workspace}/${memory}`, column: 'summary' });
}

export function openSummary(key: TenantKey, workspace: WorkspaceId, memory: string, sealed: Buffer): string {
  const place = { table: 'enrichments', row: `${workspace}/${memory}`, column: 'summary' };
  return key.open(sealed, place).toString('utf8');
}

/** A mention counts while its memory says what it was read from. */
export const VALID_MENTIONS = `mentions n JOIN memories m ON m.tenant_id = n.tenant_id AND m.workspace_id = n.workspace_id
  AND m.id = n.memory_id AND m.alone_hash = n.hash`;

/** What memory `m` mentions as it stands, `<kind>:<hmac>`: SQL for a sorted list, of tenant $1. */
export const MENTIONED = mentioned('');
/** The same as tags in the indexes. */
export const MENTIONED_TAGS = mentioned('entity:');

function mentioned(begin: '' | 'entity:'): string {
  return `ARRAY(
  SELECT DISTINCT '${begin}' || n.kind || ':' || n.entity FROM mentions n
  WHERE n.tenant_id = $1 AND n.workspace_id = m.workspace_id AND n.memory_id = m.id AND n.hash = m.alone_hash ORDER BY 1)`;
}
