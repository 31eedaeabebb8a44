import type { WorkspaceId } from '../../tenancy/tenant.js';
import type { GraphItem, RelationEdge } from '../graph-space.js';
import { ItemRefused } from '../space-errors.js';
import type { Scalar } from './graph-commands.js';

/** A batch as the rows that the applying query takes, each kind and id once, in its newest revision. */
export interface GraphRows {
  /** key, revision, gone */
  memories: Scalar[][];
  /** key, revision, key of from, key of to, type, strength, strength in full where the store would round it */
  relations: Scalar[][];
  /** key, revision: relations that are gone */
  buried: Scalar[][];
}

/** The one name of an item in a graph that its tenant's workspaces share. A workspace's id has no slash. */
export function keyOf(workspace: WorkspaceId, id: string): string {
  return `${workspace}/${id}`;
}

export function ofKey(key: string): { workspace: WorkspaceId; id: string } {
  const end = key.indexOf('/');
  return { workspace: key.slice(0, end) as WorkspaceId, id: key.slice(end + 1) };
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
  const rows: GraphRows = { memories: [], relations: [], buried: [] };
  for (const item of newest.values()) {
    const key = keyOf(item.workspace, item.id);
    if (item.kind === 'memory') rows.memories.push([key, item.revision, item.gone]);
    else if (item.gone) rows.buried.push([key, item.revision]);
    else rows.relations.push(relationRow(key, item));
  }
  return rows;
}

function relationRow(key: string, { workspace, revision, from, to, type, strength }: RelationEdge): Scalar[] {
  return [key, revision, keyOf(workspace, from), keyOf(workspace, to), type, strength, exactly(strength)];
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
  if (item.workspace.includes('/')) refuse('its workspace is none');
  const texts: string[] = [item.workspace, item.id];
  if (item.kind === 'relation' && !item.gone) {
    texts.push(item.from, item.to, item.type);
    if (!Number.isFinite(item.strength)) refuse('its strength is no number');
  }
  if (!texts.every(isStorable)) refuse('it holds a NUL or half a character');
}
