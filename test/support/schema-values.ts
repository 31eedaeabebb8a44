import fc from 'fast-check';

/** As much of JSON Schema as `/openapi.json` uses of it. */
export interface Schema {
  $ref?: string;
  allOf?: Schema[];
  type?: string | string[];
  enum?: unknown[];
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
}

/** What a schema cannot say: values that mean something for a field, or a schema, of this name. Undefined: nothing special. */
export type KnownValues = (name: string) => fc.Arbitrary<unknown> | undefined;

/** What clients get wrong, beside whatever fast-check thinks of. */
const oddities = fc.constantFrom<unknown>(
  null,
  '',
  ' ',
  '\u0000',
  '\ud800',
  'a\udc00b',
  '\u202eright to left',
  'e\u0301\u0323',
  0,
  -1,
  1e308,
  -0,
  5e-324,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  0.1,
  true,
  [],
  {},
  [[]],
  [null],
  '0001-01-01T00:00:00+14:00',
  '9999-12-31T23:59:59.999-14:00',
  '2026-01-01',
  '00000000-0000-0000-0000-000000000000',
  "'; DROP TABLE memories; --",
  '%_\\',
  '../../etc/passwd',
  '🧠'.repeat(100),
  'x'.repeat(70_000),
);
export const anything = fc.oneof(
  { weight: 3, arbitrary: oddities },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
);

const freeText = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[a-z]{2,9}(?: [a-z]{2,9}){0,3}$/) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }) },
);
const instant = fc.oneof(
  fc
    .date({ noInvalidDate: true, min: new Date('1970-01-01'), max: new Date('2100-01-01') })
    .map((date) => date.toISOString()),
  fc.constantFrom(
    '2026-01-01',
    '2026-01-01T00:00:00Z',
    '2024-02-29T12:00:00.5+02:00',
    '1600-12-31T00:00:00Z',
  ),
);
const freeJson = fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.jsonValue({ maxDepth: 2 }), {
  maxKeys: 3,
});
const MOST_ITEMS = 4;
const MOST_OPTIONAL = 5;

/** Values of the schemas of one document. */
export class SchemaValues {
  constructor(
    private readonly schemas: Record<string, Schema>,
    private readonly known: KnownValues,
  ) {}

  /** Good as far as the schema goes. */
  valid(schema: Schema, field = ''): fc.Arbitrary<unknown> {
    const special = this.known(field) ?? this.known(nameOf(schema) ?? '');
    if (special !== undefined) return special;
    const whole = this.resolved(schema);
    if (whole.enum !== undefined) return fc.constantFrom(...whole.enum);
    const types = [whole.type ?? 'object'].flat();
    const [first = 'object'] = types;
    const value = this.ofType(first, whole, field);
    return types.includes('null') ? fc.option(value, { freq: 5 }) : value;
  }

  /** What is good but for a few members, at any depth: replaced by something else, left out, or new. */
  mutated(schema: Schema): fc.Arbitrary<unknown> {
    const whole = this.resolved(schema);
    const { properties = {}, required = [] } = whole;
    const names = Object.keys(properties);
    const nested = names.flatMap((name) => {
      const { items } = this.resolved(properties[name] ?? {});
      if (items === undefined || this.resolved(items).properties === undefined) return [];
      const members = fc.array(this.mutated(items), { minLength: 1, maxLength: MOST_ITEMS });
      return [
        fc
          .tuple(this.valid(schema), members)
          .map(([value, list]) => ({ ...(value as object), [name]: list })),
      ];
    });
    const flat = fc
      .tuple(
        this.valid(schema),
        names.length === 0
          ? fc.constant({})
          : fc.dictionary(fc.constantFrom(...names), anything, { maxKeys: 2 }),
        fc.subarray(required, { maxLength: Math.min(1, required.length) }),
        fc.option(fc.dictionary(fc.string({ maxLength: 8 }), anything, { maxKeys: 1 }), { nil: {}, freq: 3 }),
      )
      .map(([value, changed, dropped, added]) => {
        const members = Object.entries({ ...(value as object), ...changed, ...added });
        return Object.fromEntries(members.filter(([name]) => !dropped.includes(name)));
      });
    return fc.oneof(flat, ...nested);
  }

  private ofType(type: string, schema: Schema, field: string): fc.Arbitrary<unknown> {
    const { minimum = -1e6, maximum = 1e6, minItems = 0, maxItems = MOST_ITEMS } = schema;
    switch (type) {
      case 'boolean':
        return fc.boolean();
      case 'integer':
        return fc.integer({ min: minimum, max: maximum });
      case 'number':
        return fc.double({ min: minimum, max: maximum, noNaN: true });
      case 'string':
        return textOf(schema);
      case 'array': {
        const limits = { minLength: minItems, maxLength: Math.max(minItems, Math.min(maxItems, MOST_ITEMS)) };
        return fc.array(this.valid(schema.items ?? {}, `${field}[]`), limits);
      }
      default:
        return schema.properties === undefined ? freeJson : this.object(schema);
    }
  }

  /** What is required, and a few of the others: of very many together some would hardly ever agree. */
  private object({ properties = {}, required = [] }: Schema): fc.Arbitrary<unknown> {
    const values = Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [name, this.valid(schema, name)]),
    );
    const optional = Object.keys(values).filter((name) => !required.includes(name));
    return fc
      .subarray(optional, { maxLength: Math.min(MOST_OPTIONAL, optional.length) })
      .chain((chosen) =>
        fc.record(
          Object.fromEntries(
            Object.entries(values).filter(([name]) => required.includes(name) || chosen.includes(name)),
          ),
          { noNullPrototype: true },
        ),
      );
  }

  private resolved(schema: Schema): Schema {
    const name = nameOf(schema);
    if (name !== undefined) return this.resolved(this.schemas[name] ?? {});
    return schema.allOf?.[0] === undefined ? schema : this.resolved(schema.allOf[0]);
  }
}

const nameOf = ({ $ref }: Schema): string | undefined => $ref?.split('/').at(-1);

function textOf({ format, pattern, minLength = 0, maxLength = 60 }: Schema): fc.Arbitrary<string> {
  if (format === 'uuid') return fc.uuid();
  if (format === 'date-time') return instant;
  // fast-check writes no text for what looks ahead: such fields have known values.
  if (pattern !== undefined && !pattern.includes('(?')) return fc.stringMatching(new RegExp(pattern));
  const fits = freeText.filter(({ length }) => length >= minLength && length <= maxLength);
  return fc.oneof(
    { weight: 20, arbitrary: fits },
    { weight: 1, arbitrary: fc.constant('x'.repeat(Math.max(minLength, Math.min(maxLength, 9_000)))) },
  );
}
