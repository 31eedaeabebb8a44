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

/**
 * Which memories a filter lets through. Tags are looked up in their table, which few memories share; the rest is
 * compared in memory, as a type or a user may well be everybody's. An empty list of tags or types asks for nothing.
 */
export function passing(workspace: SearchedWorkspace, filter: Filter): Passing {
  const { index } = workspace;
  const everything = { mask: index.alive, count: index.live };
  const tags = filter.tags !== undefined && filter.tags.values.length > 0 ? filter.tags : null;
  const kept = keptLabels(index, filter);
  const excluded = filter.excludeTags ?? [];
  const held = filter.validAt !== undefined && index.validity.size > 0;
  const timed = filter.from !== undefined || filter.until !== undefined || held;
  if (!timed && tags === null && kept.length === 0 && excluded.length === 0) return everything;
  const mask = tags === null ? index.alive.slice(0, index.places) : taggedMask(workspace, tags);
  for (const keep of kept) keep(mask);
  if (excluded.length > 0) exclude(workspace, excluded, mask);
  if (timed) keepInTime(index, filter, mask);
  let count = 0;
  for (const passes of mask) count += passes;
  return { mask, count };
}

export function placesOf(mask: Uint8Array): number[] {
  const places: number[] = [];
  for (let place = 0; place < mask.length; place++) if (mask[place] === 1) places.push(place);
  return places;
}

function keptLabels(index: WorkspaceIndex, filter: Filter): ((mask: Uint8Array) => void)[] {
  const { labels } = index;
  const kept: ((mask: Uint8Array) => void)[] = [];
  const { types, session, user, agent } = filter;
  if (types !== undefined && types.length > 0) kept.push((mask) => labels.type.keepOnly(types, mask));
  if (session !== undefined) kept.push((mask) => labels.session.keepOnly([session], mask));
  if (user !== undefined) kept.push((mask) => labels.user.keepOnly([user], mask));
  if (agent !== undefined) kept.push((mask) => labels.agent.keepOnly([agent], mask));
  return kept;
}

/** The wanted tags lead, one look into the index for each: CROSS JOIN keeps it so. A prefix is a range of tags. */
const TAGGED = {
  exact: 'SELECT t.key FROM json_each(?) wanted CROSS JOIN $_tags t ON t.tag = wanted.value',
  prefix:
    'SELECT t.key FROM json_each(?) wanted CROSS JOIN $_tags t ' +
    'ON t.tag >= wanted.value AND t.tag < wanted.value || char(1114111)',
};
const IN_WORKSPACE = ' WHERE t.key BETWEEN ? AND ?';
const MODES = { any: '', all: ' GROUP BY t.key HAVING count(DISTINCT wanted.key) = ?' };

function taggedMask(
  { file, tables, ws, index }: SearchedWorkspace,
  { values, mode, match }: NonNullable<Filter['tags']>,
): Uint8Array {
  const wanted = [...new Set(values)];
  const parameters: unknown[] = [JSON.stringify(wanted), firstKey(ws), lastKey(ws)];
  if (mode === 'all') parameters.push(wanted.length);
  const text = `${TAGGED[match]}${IN_WORKSPACE}${MODES[mode]}`.replaceAll('$_', `${tables}_`);
  const mask = new Uint8Array(index.places);
  for (const key of file
    .sql(text)
    .pluck()
    .all(...parameters) as number[])
    mask[placeOf(key)] = 1;
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

function keepInTime(index: WorkspaceIndex, filter: Filter, mask: Uint8Array): void {
  const { from = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY, validAt } = filter;
  const { timestamps, validity } = index;
  for (let place = 0; place < mask.length; place++) {
    const timestamp = timestamps[place] as number;
    if (timestamp < from || timestamp > until) mask[place] = 0;
  }
  if (validAt === undefined) return;
  for (const [place, { from: begins, until: ends }] of validity) {
    if ((begins !== null && begins > validAt) || (ends !== null && validAt >= ends)) mask[place] = 0;
  }
}
