import { firstKey, lastKey, placeOf } from './keys.js';
import type { SearchedWorkspace } from './passing.js';

/** By place, which marks it bears, as bits. A mark that is nobody's tag is asked for once and costs nothing more. */
export function borneMarks(
  { file, tables, ws }: SearchedWorkspace,
  marks: string[],
  places: number[],
): Map<number, number> {
  const borne = new Map<number, number>();
  const anybody = file
    .sql(`SELECT 1 FROM ${tables}_tags WHERE tag = ? AND key BETWEEN ? AND ? LIMIT 1`)
    .pluck();
  const bearing = file
    .sql(`SELECT t.key FROM json_each(?) k CROSS JOIN ${tables}_tags t ON t.tag = ? AND t.key = k.value`)
    .pluck();
  let keys: string | null = null;
  for (const [at, tag] of marks.entries()) {
    if (anybody.get(tag, firstKey(ws), lastKey(ws)) === undefined) continue;
    keys ??= JSON.stringify(places.map((place) => firstKey(ws) + place));
    for (const key of bearing.all(keys, tag) as number[]) {
      const place = placeOf(key);
      borne.set(place, ((borne.get(place) ?? 0) | (1 << at)) >>> 0);
    }
  }
  return borne;
}
