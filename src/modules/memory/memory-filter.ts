import type { Filter } from '../../spaces/vector-space.js';
import type { Memory } from './memory.js';

/**
 * Whether a filter lets a memory through, as the spaces read it: an empty list of tags or types asks for nothing. For
 * memories that come by another way than the spaces' search, which asks no less of them.
 */
export function passesFilter(filter: Filter, memory: Memory): boolean {
  const { types = [], excludeTags = [], from, until, session, user, agent, validAt } = filter;
  const at = memory.timestamp.getTime();
  return (
    hasTags(filter.tags, memory.tags) &&
    !memory.tags.some((tag) => excludeTags.includes(tag)) &&
    (types.length === 0 || types.includes(memory.type)) &&
    (from === undefined || at >= from) &&
    (until === undefined || at <= until) &&
    (session === undefined || memory.session === session) &&
    (user === undefined || memory.user === user) &&
    (agent === undefined || memory.agent === agent) &&
    (validAt === undefined || holdsAt(validAt, memory))
  );
}

export function hasTags(wanted: Filter['tags'], tags: readonly string[]): boolean {
  if (wanted === undefined || wanted.values.length === 0) return true;
  const { values, mode, match } = wanted;
  const has = (value: string): boolean =>
    match === 'exact' ? tags.includes(value) : tags.some((tag) => tag.startsWith(value));
  return mode === 'all' ? values.every(has) : values.some(has);
}

function holdsAt(moment: number, { validFrom, validUntil }: Memory): boolean {
  const begun = validFrom === null || validFrom.getTime() <= moment;
  return begun && (validUntil === null || validUntil.getTime() > moment);
}
