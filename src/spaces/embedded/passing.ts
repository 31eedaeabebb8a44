import type { Filter } from '../vector-space.js';
import { firstKey, lastKey, placeOf } from './keys.js';
import type { TenantFile } from './tenant-file.js';
import type { WorkspaceIndex } from './workspace-index.js';

/** A workspace to search in: its tables, its number there, and what is held in memory of it. */
export interface SearchedWorkspace {
  file: TenantFile;
  /** `v1`: what the tables' names begin with. */
  tables: string;
  ws: number;
  index: WorkspaceIndex;
}

export interface Passing {
  /** By place: 1 where the filter lets it through. */
  mask: Uint8Array;
  count: number;
}

/** Times are looked up in memory, as nearly every question has them; the rest in the tables. Empty lists: anything. */
export function passing(workspace: SearchedWorkspace, filter: Filter): Passing {
  const { index } = workspace;
  const conditions = conditionsOf(filter);
  const excluded = filter.excludeTags ?? [];
  const timed = filter.from !== undefined || filter.until !== undefined || filter.validAt !== undefined;
  if (!timed && conditions.sql.length === 0 && excluded.length === 0) {
    return { mask: index.alive, count: index.live };
  }
  const mask =
    conditions.sql.length === 0 ? index.alive.slice(0, index.places) : maskOf(workspace, conditions);
  if (excluded.length > 0) exclude(workspace, excluded, mask);
  let count = 0;
  for (let place = 0; place < mask.length; place++) {
    if (mask[place] !== 1) continue;
    if (timed && !isInTime(index, place, filter)) mask[place] = 0;
    else count++;
  }
  return { mask, count };
}

interface Conditions {
  sql: string[];
  values: unknown[];
}

function conditionsOf(filter: Filter): Conditions {
  const sql: string[] = [];
  const values: unknown[] = [];
  for (const column of ['session', 'user', 'agent'] as const) {
    if (filter[column] === undefined) continue;
    sql.push(`"${column}" = ?`);
    values.push(filter[column]);
  }
  if (filter.types !== undefined && filter.types.length > 0) {
    sql.push('type IN (SELECT value FROM json_each(?))');
    values.push(JSON.stringify(filter.types));
  }
  if (filter.tags !== undefined && filter.tags.values.length > 0) {
    const wanted = [...new Set(filter.tags.values)];
    sql.push(
      `key IN (${TAGGED[filter.tags.match]}${filter.tags.mode === 'all' ? ' GROUP BY t.key HAVING count(DISTINCT wanted.key) = ?' : ''})`,
    );
    values.push(JSON.stringify(wanted));
    if (filter.tags.mode === 'all') values.push(wanted.length);
  }
  return { sql, values };
}

/** The wanted tags lead, one look into the index for each: CROSS JOIN keeps it so. A prefix is a range of tags. */
const TAGGED = {
  exact: 'SELECT t.key FROM json_each(?) wanted CROSS JOIN $_tags t ON t.tag = wanted.value',
  prefix:
    'SELECT t.key FROM json_each(?) wanted CROSS JOIN $_tags t ' +
    'ON t.tag >= wanted.value AND t.tag < wanted.value || char(1114111)',
};

function maskOf({ file, tables, ws, index }: SearchedWorkspace, { sql, values }: Conditions): Uint8Array {
  const text = `SELECT key FROM $_memories WHERE key BETWEEN ? AND ? AND ${sql.join(' AND ')}`;
  const keys = file
    .sql(text.replaceAll('$_', `${tables}_`))
    .pluck()
    .all(firstKey(ws), lastKey(ws), ...values) as number[];
  const mask = new Uint8Array(index.places);
  for (const key of keys) mask[placeOf(key)] = 1;
  return mask;
}

function exclude({ file, tables, ws }: SearchedWorkspace, tags: string[], mask: Uint8Array): void {
  const keys = file
    .sql(
      `SELECT key FROM ${tables}_tags WHERE tag IN (SELECT value FROM json_each(?)) AND key BETWEEN ? AND ?`,
    )
    .pluck()
    .all(JSON.stringify(tags), firstKey(ws), lastKey(ws)) as number[];
  for (const key of keys) mask[placeOf(key)] = 0;
}

function isInTime(index: WorkspaceIndex, place: number, filter: Filter): boolean {
  const timestamp = index.timestamps[place] as number;
  if (filter.from !== undefined && timestamp < filter.from) return false;
  if (filter.until !== undefined && timestamp > filter.until) return false;
  if (filter.validAt === undefined) return true;
  const validity = index.validity.get(place);
  if (validity === undefined) return true;
  const { from, until } = validity;
  return (from === null || from <= filter.validAt) && (until === null || filter.validAt < until);
}
