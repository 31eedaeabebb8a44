import type { Schemas } from '@qdrant/js-client-rest';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import type { Filter } from '../vector-space.js';
import type { Abilities } from './server-abilities.js';

type Condition = Schemas['FieldCondition'] | Schemas['HasIdCondition'] | Schemas['Filter'];
/** The description's `Filter` lets each clause be one condition, many or null; here they are always many. */
export interface Clauses {
  must: Condition[];
  must_not?: Condition[];
}

/** What one model holds of one workspace. */
export function inWorkspace(model: string, workspace: WorkspaceId): Clauses {
  return { must: [is('workspace', workspace), is('model', model), is('gone', false)] };
}

/** What one model holds of one era, in all workspaces. */
export function inEra(model: string, era: string): Clauses {
  return { must: [is('era', era), is('model', model), is('gone', false)] };
}

/** A workspace's memories that a filter lets through. An empty list of tags or types asks for nothing. */
export function passing(
  model: string,
  workspace: WorkspaceId,
  filter: Filter,
  abilities: Abilities,
): Clauses {
  const { must } = inWorkspace(model, workspace);
  const mustNot: Condition[] = [];
  if (filter.tags !== undefined) must.push(...tagged(filter.tags, abilities));
  if (filter.types !== undefined && filter.types.length > 0) must.push(isAny('type', filter.types));
  for (const key of ['session', 'user', 'agent'] as const) {
    const value = filter[key];
    if (value !== undefined) must.push(is(key, value));
  }
  if (filter.from !== undefined || filter.until !== undefined) {
    must.push({
      key: 'timestamp',
      range: {
        ...(filter.from === undefined ? {} : { gte: filter.from }),
        ...(filter.until === undefined ? {} : { lte: filter.until }),
      },
    });
  }
  if (filter.validAt !== undefined) {
    // A missing end matches no range, so whatever has no end is let through.
    mustNot.push({ key: 'valid_from', range: { gt: filter.validAt } });
    mustNot.push({ key: 'valid_until', range: { lte: filter.validAt } });
  }
  const excluded = filter.excludeTags ?? [];
  if (excluded.length > 0) mustNot.push(isAny('tags', excluded));
  return mustNot.length === 0 ? { must } : { must, must_not: mustNot };
}

export function is(key: string, value: string | boolean | number): Schemas['FieldCondition'] {
  return { key, match: { value } };
}

export function isAny(key: string, values: string[]): Schemas['FieldCondition'] {
  return { key, match: { any: [...new Set(values)] } };
}

function tagged({ values, mode, match }: NonNullable<Filter['tags']>, abilities: Abilities): Condition[] {
  const wanted = [...new Set(values)];
  if (wanted.length === 0) return [];
  if (match === 'exact')
    return mode === 'any' ? [isAny('tags', wanted)] : wanted.map((tag) => is('tags', tag));
  const begins = wanted.map((prefix): Condition =>
    abilities.prefixes ? { key: 'tags', match: { prefix } } : is('tag_prefixes', prefix),
  );
  return mode === 'all' ? begins : [{ should: begins }];
}
