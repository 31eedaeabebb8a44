import { isUuid, type WorkspaceId } from '../../tenancy/tenant.js';
import { exactDigest, type Digest } from '../digest.js';
import type { GraphItem, RelationEdge } from '../graph-space.js';
import { ItemRefused } from '../space-errors.js';
import type { Scalar } from './graph-commands.js';

/** A batch as the rows that the applying query takes, each kind and id once, in its newest revision. */
export interface GraphRows {
  /** key, revision, gone */
  memories: Scalar[][];
  /** key of the memory, its revision, key of the entity */
  mentions: Scalar[][];
  /** key, revision, key of from, key of to, type, strength, strength in full where the store would round it */
  relations: Scalar[][];
  /** key, revision: relations that are gone */
  buried: Scalar[][];
}

/** What an index of the store can hold. */
const LONGEST_KEY = 4_000;

/**
 * The one name of an item in a graph that its tenant's workspaces share: `<workspace>/<id>`, and a workspace's id
 * has no slash. The id is written in the characters of a URL, where a UUID stays what it is: the store's index trims
 * white space, splits at \u0001 and passes over what is longer than 4,096 bytes, without a word (FalkorDB 4.16.3).
 */
export function keyOf(workspace: WorkspaceId, id: string): string {
  return `${workspace}/${encodeURIComponent(id)}`;
}

export function ofKey(key: string): { workspace: WorkspaceId; id: string } {
  const end = key.indexOf('/');
  return { workspace: key.slice(0, end) as WorkspaceId, id: decodeURIComponent(key.slice(end + 1)) };
}

/** Whether a text can be part of an item's name. */
export function isNameable(text: string): boolean {
  return isStorable(text) && encodeURIComponent(text).length <= LONGEST_KEY;
}

/** Whether the store keeps a text as it is: it ends one at NUL, and has no half characters. */
export function isStorable(text: string): boolean {
  return !/[\0\p{Surrogate}]/u.test(text);
}

/** Throws `ItemRefused` at the first item that the store would change or take for something else. */
export function rowsOf(items: readonly GraphItem[]): GraphRows {
  const newest = new Map<string, GraphItem>();
  for (const item of items) {
    refuseUnstorable(item);
    const name = `${item.kind}:${keyOf(item.workspace, item.id)}`;
    const known = newest.get(name);
    if (
      known === undefined ||
      item.revision > known.revision ||
      (item.revision === known.revision && item.gone)
    ) {
      newest.set(name, item);
    }
  }
  const rows: GraphRows = { memories: [], mentions: [], relations: [], buried: [] };
  for (const item of newest.values()) {
    const key = keyOf(item.workspace, item.id);
    if (item.kind === 'memory') {
      rows.memories.push([key, item.revision, item.gone]);
      for (const entity of item.gone ? [] : new Set(item.entities)) {
        rows.mentions.push([key, item.revision, keyOf(item.workspace, entity)]);
      }
    } else if (item.gone) rows.buried.push([key, item.revision]);
    else rows.relations.push(relationRow(key, item));
  }
  return rows;
}

/** A relation's row in `GraphRows`. */
export function relationRow(
  key: string,
  { workspace, revision, from, to, type, strength }: RelationEdge,
): Scalar[] {
  return [key, revision, keyOf(workspace, from), keyOf(workspace, to), type, strength, exactly(strength)];
}

/** Of such a row as it was given, or as the store shows it. */
export function digestOfRow([, , from, to, type, strength, exact]: readonly unknown[]): Digest {
  const shown = Number(Number(strength).toPrecision(15));
  return { exact: exactDigest([from, to, type, shown, exact ?? null]), vectors: [] };
}

/** The store answers with 15 digits. Null: they are enough. */
function exactly(strength: number): string | null {
  return Number(strength.toPrecision(15)) === strength ? null : String(strength);
}

function refuseUnstorable(item: GraphItem): void {
  const refuse = (reason: string): never => {
    throw new ItemRefused(item, reason);
  };
  if (!Number.isSafeInteger(item.revision) || item.revision < 0) refuse('its revision is beyond 2^53');
  if (!isUuid(item.workspace)) refuse('its workspace is none');
  const names = [item.workspace, item.id];
  if (item.kind === 'memory' && !item.gone) names.push(...item.entities);
  if (item.kind === 'relation' && !item.gone) {
    names.push(item.from, item.to);
    if (!isStorable(item.type)) refuse('its type holds a NUL or half a character');
    if (!Number.isFinite(item.strength)) refuse('its strength is no number');
  }
  if (!names.every(isNameable))
    refuse('it is named by a NUL, half a character, or more than the store can index');
}
