/** A point as the stand-in keeps it. */
export interface Point {
  id: string | number;
  version: number;
  dense: Map<string, Float32Array>;
  sparse: Map<string, Map<number, number>>;
  payload: Record<string, unknown>;
}

export type Condition = Record<string, unknown>;
export type Filter = Partial<Record<'must' | 'must_not' | 'should', Condition | Condition[] | null>> & {
  min_should?: { conditions: Condition[]; min_count: number } | null;
};

/**
 * Whether a point passes a filter: all of `must`, none of `must_not`, one of `should` where there are any.
 * A field that holds many values passes where one of them does; a field that is missing passes no match and no range,
 * so its `must_not` lets it through. `prefixes`: whether this server knows `match: {prefix}` (1.19).
 */
export function passes(point: Point, filter: Filter | null | undefined, prefixes: boolean): boolean {
  if (filter === null || filter === undefined) return true;
  const holds = (condition: Condition): boolean => passesCondition(point, condition, prefixes);
  const should = many(filter.should);
  const { min_should: least } = filter;
  return (
    many(filter.must).every(holds) &&
    !many(filter.must_not).some(holds) &&
    (should.length === 0 || should.some(holds)) &&
    (!least || least.conditions.filter(holds).length >= least.min_count)
  );
}

function many(clause: Condition | Condition[] | null | undefined): Condition[] {
  if (clause === null || clause === undefined) return [];
  return Array.isArray(clause) ? clause : [clause];
}

/** What this server cannot read: answered with 400. */
export class Unreadable extends Error {}

function passesCondition(point: Point, condition: Condition, prefixes: boolean): boolean {
  if ('has_id' in condition) {
    return (condition['has_id'] as (string | number)[]).some((id) => sameId(id, point.id));
  }
  if ('has_vector' in condition) {
    const name = String(condition['has_vector']);
    return point.dense.has(name) || point.sparse.has(name);
  }
  if ('is_empty' in condition) {
    const { key } = condition['is_empty'] as { key: string };
    return valuesAt(point.payload, key).every((value) => value === null);
  }
  if ('is_null' in condition) {
    const { key } = condition['is_null'] as { key: string };
    return valuesAt(point.payload, key).some((value) => value === null);
  }
  if (!('key' in condition)) {
    if (Object.keys(condition).every((key) => ['must', 'must_not', 'should', 'min_should'].includes(key))) {
      return passes(point, condition, prefixes);
    }
    throw new Unreadable(
      `data did not match any variant of untagged enum Condition: ${JSON.stringify(condition)}`,
    );
  }
  const values = valuesAt(point.payload, String(condition['key']));
  if (condition['match']) {
    const match = matcher(condition['match'] as Record<string, unknown>, prefixes);
    return values.some(match);
  }
  if (condition['range']) {
    const within = ranger(condition['range'] as Record<string, unknown>);
    return values.some(within);
  }
  throw new Unreadable(`At least one field condition must be specified: ${JSON.stringify(condition)}`);
}

function matcher(match: Record<string, unknown>, prefixes: boolean): (value: unknown) => boolean {
  if ('value' in match) return (value) => value === match['value'];
  if ('any' in match) return (value) => (match['any'] as unknown[]).includes(value);
  if ('except' in match) return (value) => value !== null && !(match['except'] as unknown[]).includes(value);
  if ('text' in match) {
    const wanted = words(String(match['text']));
    return (value) => typeof value === 'string' && wanted.every((word) => words(value).includes(word));
  }
  if ('prefix' in match && prefixes) {
    return (value) => typeof value === 'string' && value.startsWith(String(match['prefix']));
  }
  throw new Unreadable(`data did not match any variant of untagged enum Match: ${JSON.stringify(match)}`);
}

function words(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

function ranger(range: Record<string, unknown>): (value: unknown) => boolean {
  const bounds = Object.entries(range).filter(([, bound]) => bound !== null);
  const dated = bounds.some(([, bound]) => typeof bound === 'string');
  return (value) => {
    if (dated ? typeof value !== 'string' : typeof value !== 'number') return false;
    const at = dated ? Date.parse(value as string) : (value as number);
    return bounds.every(([side, bound]) => {
      const edge = dated ? Date.parse(String(bound)) : Number(bound);
      if (side === 'gt') return at > edge;
      if (side === 'gte') return at >= edge;
      return side === 'lt' ? at < edge : at <= edge;
    });
  };
}

function valuesAt(payload: Record<string, unknown>, path: string): unknown[] {
  let found: unknown[] = [payload];
  for (const step of path.split('.')) {
    found = found.flatMap((one) => {
      if (typeof one !== 'object' || one === null || !(step in one)) return [];
      const value: unknown = (one as Record<string, unknown>)[step];
      return Array.isArray(value) ? (value as unknown[]) : [value];
    });
  }
  return found;
}

export function sameId(a: string | number, b: string | number): boolean {
  return String(a).toLowerCase() === String(b).toLowerCase();
}
