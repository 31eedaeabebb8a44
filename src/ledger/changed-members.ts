import { canonicalJson } from '../platform/canonical-json.js';

/** What differs between two states of one thing, as its audit record tells it. Leave secrets out of both. */
export function changedMembers<T extends object>(
  before: T,
  after: T,
): { before: Partial<T>; after: Partial<T> } {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])] as (keyof T)[];
  const changed = names.filter(
    (name) => canonicalJson(before[name] ?? null) !== canonicalJson(after[name] ?? null),
  );
  const only = (state: T) => Object.fromEntries(changed.map((name) => [name, state[name]])) as Partial<T>;
  return { before: only(before), after: only(after) };
}
