import 'reflect-metadata';
import { PartialType } from '@nestjs/swagger';
import { IsEmail } from 'class-validator';
import { DomainError } from '../../src/platform/errors/domain-error.js';
import {
  DropsUnknownFields,
  Flag,
  Fraction,
  Ignored,
  Instant,
  Int,
  JsonObject,
  ListOf,
  Nested,
  OneOf,
  OptionalText,
  SomeOf,
  Tags,
  Text,
  Texts,
  Uuid,
  Vector,
} from '../../src/platform/http/fields.js';
import { RequestInvalid } from '../../src/platform/http/request.errors.js';
import { parseInstant } from '../../src/platform/http/instant.js';
import { readDto, ValidationPipe } from '../../src/platform/http/validation.js';

class Place {
  @Text({ max: 10 })
  room!: string;

  @Int({ min: 1, max: 3, optional: true })
  floor?: number;
}

class Everything {
  @Text({ max: 20, maxBytes: 24 })
  content!: string;

  @OptionalText({ min: 0, max: 5 })
  note?: string;

  @Uuid({ optional: true })
  id?: string;

  @Fraction({ optional: true })
  importance = 0.5;

  @Int({ min: 1, max: 100, optional: true })
  limit?: number;

  @Flag({ optional: true })
  explain?: boolean;

  @Instant({ optional: true, nullable: true })
  t_valid?: string | null;

  @Tags({ optional: true })
  tags?: string[];

  @Texts({ max: 3, each: { max: 30 }, optional: true })
  queries?: string[];

  @SomeOf(['Insight', 'Habit'], { optional: true })
  types?: string[];

  @OneOf(['any', 'all'], { optional: true })
  mode?: string;

  @JsonObject({ maxBytes: 64, optional: true })
  metadata?: Record<string, unknown>;

  @Vector({ length: 3, optional: true })
  embedding?: number[];

  @Nested(() => Place, { optional: true })
  place?: Place;

  @ListOf(() => Place, { max: 3, optional: true })
  places?: Place[];

  @IsEmail()
  email = 'a@b.co';

  @Ignored()
  active_path?: unknown;
}

class Patch extends PartialType(Everything) {}

@DropsUnknownFields()
class Lenient {
  @Text()
  model!: string;
}

function errorsOf(
  value: unknown,
  source: 'body' | 'query' = 'body',
  dto: new () => object = Everything,
): [string, string][] {
  try {
    readDto(dto, value, source);
  } catch (error) {
    if (error instanceof DomainError) {
      return (error.details.errors ?? []).map(({ location, message }) => [location, message]);
    }
    throw error;
  }
  return [];
}

describe('a body', () => {
  it('becomes an instance of its class, with the defaults of what is absent or null', () => {
    const read = readDto(
      Everything,
      { content: 'tea', note: null, tags: ['a,b'], t_valid: null, place: { room: 'x' } },
      'body',
    );
    expect(read).toBeInstanceOf(Everything);
    expect(read.place).toBeInstanceOf(Place);
    expect({ ...read }).toEqual({
      content: 'tea',
      importance: 0.5,
      email: 'a@b.co',
      tags: ['a,b'],
      t_valid: null,
      place: { room: 'x' },
    });
  });

  it('hands on what is no DTO without copying it', () => {
    const metadata = { deep: [{ a: 1 }] };
    const embedding = [1, 0, 0];
    const read = readDto(Everything, { content: 'x', metadata, embedding }, 'body');
    expect(read.metadata).toBe(metadata);
    expect(read.embedding).toBe(embedding);
  });

  it('drops the fields that are accepted and ignored', () => {
    expect(readDto(Everything, { content: 'x', active_path: { any: 1 } }, 'body')).not.toHaveProperty(
      'active_path',
    );
  });

  it.each<[string, unknown, string, RegExp]>([
    ['a missing field', {}, 'body.content', /is required/],
    ['null for a required field', { content: null }, 'body.content', /is required/],
    ['an empty text', { content: '' }, 'body.content', /empty/],
    ['a blank text', { content: ' \n\t' }, 'body.content', /blank/],
    ['a long text', { content: 'x'.repeat(21) }, 'body.content', /at most 20 characters/],
    ['a text of too many bytes', { content: 'عربيعربيعربيع' }, 'body.content', /at most 24 bytes/],
    ['NUL', { content: 'a\0b' }, 'body.content', /NUL/],
    ['a lone surrogate', { content: 'a\ud800b' }, 'body.content', /surrogate/],
    ['a number for a text', { content: 1 }, 'body.content', /string/],
    ['a text for a number', { content: 'x', importance: '0.5' }, 'body.importance', /from 0 to 1/],
    ['a number beyond', { content: 'x', importance: 2 }, 'body.importance', /from 0 to 1/],
    ['Infinity', { content: 'x', importance: Infinity }, 'body.importance', /from 0 to 1/],
    ['NaN', { content: 'x', importance: NaN }, 'body.importance', /from 0 to 1/],
    ['a broken number', { content: 'x', limit: 1.5 }, 'body.limit', /whole number/],
    ['a text for a flag', { content: 'x', explain: 'true' }, 'body.explain', /true or false/],
    ['no UUID', { content: 'x', id: '1' }, 'body.id', /UUID/],
    ['a day that does not exist', { content: 'x', t_valid: '2026-02-30' }, 'body.t_valid', /exists/],
    ['tags that are no list', { content: 'x', tags: 'a' }, 'body.tags', /list/],
    ['too many tags', { content: 'x', tags: Array(65).fill('t') }, 'body.tags', /at most 64/],
    ['a bad tag', { content: 'x', tags: ['a', 'b', 'c', 7] }, 'body.tags[3]', /string/],
    ['a long tag', { content: 'x', tags: ['a', 't'.repeat(129)] }, 'body.tags[1]', /at most 128/],
    ['an unknown word', { content: 'x', mode: 'ANY' }, 'body.mode', /one of any, all/],
    ['an unknown word in a list', { content: 'x', types: ['Habit', 'X'] }, 'body.types[1]', /one of/],
    ['metadata that is a list', { content: 'x', metadata: [] }, 'body.metadata', /object/],
    ['large metadata', { content: 'x', metadata: { a: 'ü'.repeat(30) } }, 'body.metadata', /64 bytes/],
    ['a short vector', { content: 'x', embedding: [1, 2] }, 'body.embedding', /list of 3/],
    ['a vector with a text', { content: 'x', embedding: [1, '2', 3] }, 'body.embedding[1]', /finite/],
    [
      'a vector beyond 32-bit floats',
      { content: 'x', embedding: [1, 1e39, 3] },
      'body.embedding[1]',
      /finite/,
    ],
    ['a vector of zeros', { content: 'x', embedding: [0, 0, 0] }, 'body.embedding', /zeros/],
    ['a list for an object', { content: 'x', place: [] }, 'body.place', /object/],
    ['a fault inside an object', { content: 'x', place: { room: '' } }, 'body.place.room', /empty/],
    [
      'a fault inside a list',
      { content: 'x', places: [{ room: 'a' }, { room: 'b', floor: 9 }] },
      'body.places[1].floor',
      /1 to 3/,
    ],
    [
      'a number in a list of objects',
      { content: 'x', places: [{ room: 'a' }, 3] },
      'body.places[1]',
      /object/,
    ],
    ['too many objects', { content: 'x', places: Array(4).fill({ room: 'a' }) }, 'body.places', /at most 3/],
    ['an unknown field', { content: 'x', contents: 'y' }, 'body.contents', /not a known field/],
    [
      'an unknown field inside',
      { content: 'x', place: { room: 'a', wall: 1 } },
      'body.place.wall',
      /not a known/,
    ],
    [
      '__proto__',
      JSON.parse('{"content":"x","__proto__":{"limit":9}}'),
      'body.__proto__',
      /not a known field/,
    ],
    ['constructor', { content: 'x', constructor: 1 }, 'body.constructor', /not a known field/],
    ["class-validator's own rules", { content: 'x', email: 'nobody' }, 'body.email', /email/],
  ])('with %s is refused by place', (_, value, location, message) => {
    expect(errorsOf(value)).toEqual([[location, expect.stringMatching(message)]]);
  });

  it.each([[[]], ['text'], [7], [true]])('that is %j and no object is refused', (value) => {
    expect(errorsOf(value)).toEqual([['body', 'must be an object']]);
  });

  it('is told all that is wrong with it at once, in a steady order', () => {
    const bad = { limit: 0, zzz: 1, tags: ['ok', ''], content: '' };
    expect(errorsOf(bad).map(([location]) => location)).toEqual([
      'body.content',
      'body.limit',
      'body.tags[1]',
      'body.zzz',
    ]);
  });

  it('keeps its rules in a mapped type', () => {
    expect(errorsOf({}, 'body', Patch)).toEqual([]);
    expect(errorsOf({ tags: ['a', 7], places: [{ room: 1 }] }, 'body', Patch).map(([at]) => at)).toEqual([
      'body.places[0].room',
      'body.tags[1]',
    ]);
  });

  it('loses unknown fields only where its class says so', () => {
    expect({ ...readDto(Lenient, { model: 'm', logit_bias: {} }, 'body') }).toEqual({ model: 'm' });
  });
});

describe('a query', () => {
  it('is converted by what its fields are', () => {
    const query = {
      content: 'x',
      limit: '10',
      importance: '.25',
      explain: 'true',
      tags: ['a, b', 'c'],
      queries: 'one, and another',
      'types[]': 'Habit',
      embedding: '1,0.5,-2e-1',
      metadata: '{"a":1}',
      t_valid: '2026-01-31T09:30:00 02:00',
      id: '',
    };
    expect({ ...readDto(Everything, query, 'query') }).toEqual({
      content: 'x',
      limit: 10,
      importance: 0.25,
      explain: true,
      email: 'a@b.co',
      tags: ['a', 'b', 'c'],
      queries: ['one, and another'],
      types: ['Habit'],
      embedding: [1, 0.5, -0.2],
      metadata: { a: 1 },
      t_valid: '2026-01-31T09:30:00+02:00',
    });
  });

  it.each<[Record<string, unknown>, string]>([
    [{ limit: 'ten' }, 'query.limit'],
    [{ limit: '0x10' }, 'query.limit'],
    [{ limit: ['1', '2'] }, 'query.limit'],
    [{ importance: '1e999' }, 'query.importance'],
    [{ explain: 'perhaps' }, 'query.explain'],
    [{ content: ['a', 'b'] }, 'query.content'],
    [{ 'content[]': 'a' }, 'query.content[]'],
    [{ metadata: '{' }, 'query.metadata'],
    [{ metadata: '{"a":"\\u0000"}' }, 'query.metadata'],
  ])('%j is refused by place', (query, location) => {
    expect(errorsOf({ content: 'x', ...query }, 'query').map(([at]) => at)).toContain(location);
  });
});

describe('the pipe', () => {
  const pipe = new ValidationPipe();

  it('refuses a repeated name where a single text is asked for', () => {
    expect(pipe.transform('a', { type: 'query', data: 'cursor', metatype: String })).toBe('a');
    expect(() => pipe.transform(['a', 'b'], { type: 'query', data: 'cursor', metatype: String })).toThrow(
      RequestInvalid,
    );
  });

  it('leaves alone what has no DTO', () => {
    const value = { any: 1 };
    expect(pipe.transform(value, { type: 'body', metatype: Object })).toBe(value);
    expect(pipe.transform(value, { type: 'custom', metatype: Everything })).toBe(value);
  });
});

describe('an instant', () => {
  it.each([
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['2024-02-29T23:59', '2024-02-29T23:59:00.000Z'],
    ['2026-01-31T09:30:00.123456+02:00', '2026-01-31T07:30:00.123Z'],
    ['2026-01-31 09:30:00-0530', '2026-01-31T15:00:00.000Z'],
    ['0099-12-31T00:00:00z', '0099-12-31T00:00:00.000Z'],
  ])('%s is %s', (text, iso) => {
    expect(parseInstant(text)?.toISOString()).toBe(iso);
  });

  it.each([
    '2026-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-04-31',
    '2026-01-01T24:00',
    '2026-01-01T10:60',
    '2026-01-01T10:00:60',
    '2026-01-01T10:00+15:00',
    '2026-01-01T10:00+02:60',
    '0000-01-01',
    '0001-01-01T00:00+14:00',
    '9999-12-31T23:59-14:00',
    '2026-1-1',
    '20260101',
    'yesterday',
    '',
    '1767225600',
    '2026-01-01T10:00:00Z ',
    '+12026-01-01',
  ])('%j is none', (text) => {
    expect(parseInstant(text)).toBeNull();
  });
});
