import { applyDecorators } from '@nestjs/common';
import { ApiHideProperty, ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsOptional, ValidateBy } from 'class-validator';
import type { Fault } from './json-check.js';
import type { DtoClass, FieldRule, TextLimits } from './field-rules.js';
import {
  checkList,
  checkText,
  flagRule,
  ignoredRule,
  jsonObjectRule,
  nestedListRule,
  nestedRule,
  numberRule,
  textListRule,
  textRule,
  vectorRule,
} from './field-rules.js';
import { instantRule } from './instant.js';
import { isUuid } from '../../tenancy/tenant.js';

/**
 * Decorators with which a DTO reads like a sentence. Each one says at once what class-validator checks, what
 * `/openapi.json` shows, and how a query string is converted (bodies never are: `"10"` is no number there).
 */
export interface FieldOptions {
  /** May be absent. An absent field keeps the class's own default; `null` counts as absent, unless `nullable`. */
  optional?: boolean;
  /** May be null, and null is handed on. */
  nullable?: boolean;
  description?: string;
  example?: unknown;
  /** For the documentation; the value itself is the property's initializer. */
  default?: unknown;
}

/** Under this name a field's rule lies in class-validator's own metadata, where mapped types copy it along. */
export const FIELD_RULE = 'lociField';

export interface RegisteredRule {
  rule: FieldRule;
  nullable: boolean;
}

type Schema = Record<string, unknown>;

function field(
  rule: FieldRule,
  schema: Schema,
  options: FieldOptions,
  ...more: PropertyDecorator[]
): PropertyDecorator {
  const { optional = false, nullable = false, description, example } = options;
  const registered: RegisteredRule = { rule, nullable };
  return applyDecorators(
    ValidateBy({
      name: FIELD_RULE,
      constraints: [registered],
      validator: {
        validate: (value) =>
          value !== undefined && ((value === null && nullable) || rule.check(value) === null),
        defaultMessage: (args) => faultOf(registered, args?.value)?.message ?? '',
      },
    }),
    ApiProperty({
      ...schema,
      required: !optional,
      ...(nullable ? { nullable } : {}),
      ...(description === undefined ? {} : { description }),
      ...(example === undefined ? {} : { example }),
      ...(options.default === undefined ? {} : { default: options.default }),
    }),
    ...(optional ? [IsOptional()] : []),
    ...more,
  );
}

/** What is wrong with a value, which may be absent; null where it is good. */
export function faultOf({ rule, nullable }: RegisteredRule, value: unknown, optional = false): Fault | null {
  if (value === undefined) return optional ? null : { at: '', message: 'is required' };
  if (value === null) return nullable || optional ? null : { at: '', message: 'must not be null' };
  return rule.check(value);
}

export function Text(options: FieldOptions & TextLimits = {}): PropertyDecorator {
  return field(textRule(options), { type: String, ...lengths(options) }, options);
}

function lengths({ min = 1, max, pattern }: TextLimits): Schema {
  return {
    ...(min > 0 ? { minLength: min } : {}),
    ...(max === undefined ? {} : { maxLength: max }),
    ...(pattern === undefined ? {} : { pattern: pattern.source }),
  };
}

export function OptionalText(options: FieldOptions & TextLimits = {}): PropertyDecorator {
  return Text({ ...options, optional: true });
}

export function Uuid(options: FieldOptions = {}): PropertyDecorator {
  const rule: FieldRule = {
    check: (value) =>
      typeof value === 'string' && isUuid(value) ? null : { at: '', message: 'must be a UUID' },
  };
  return field(rule, { type: String, format: 'uuid' }, options);
}

export function Int(options: FieldOptions & { min?: number; max?: number } = {}): PropertyDecorator {
  return field(numberRule({ ...options, whole: true }), { type: 'integer', ...bounds(options) }, options);
}

export function Num(options: FieldOptions & { min?: number; max?: number } = {}): PropertyDecorator {
  return field(numberRule({ ...options, whole: false }), { type: Number, ...bounds(options) }, options);
}

/** A list of numbers, each within the same bounds. */
export function Nums(
  options: FieldOptions & { maxItems: number; each: { min?: number; max?: number } },
): PropertyDecorator {
  const { maxItems, each } = options;
  const one = numberRule({ ...each, whole: false });
  const check = (value: unknown): Fault | null => {
    const fault = checkList(value, { max: maxItems });
    if (fault !== null) return fault;
    const faults = (value as unknown[]).map((item, i) => {
      const wrong = one.check(item);
      return wrong === null ? null : { at: `[${i}]`, message: wrong.message };
    });
    return faults.find((wrong) => wrong !== null) ?? null;
  };
  const items = { type: 'number', ...bounds(each) };
  return field({ check }, { type: 'array', items, maxItems }, options);
}

/** A number from 0 to 1. */
export function Fraction(options: FieldOptions = {}): PropertyDecorator {
  return Num({ ...options, min: 0, max: 1 });
}

function bounds({ min, max }: { min?: number; max?: number }): Schema {
  return { ...(min === undefined ? {} : { minimum: min }), ...(max === undefined ? {} : { maximum: max }) };
}

/** ISO 8601, checked against the calendar; stays the string that came. `parseInstant` reads it. */
export function Instant(options: FieldOptions = {}): PropertyDecorator {
  return field(instantRule, { type: String, format: 'date-time' }, options);
}

export function Flag(options: FieldOptions = {}): PropertyDecorator {
  return field(flagRule, { type: Boolean }, options);
}

export function OneOf(words: readonly string[], options: FieldOptions = {}): PropertyDecorator {
  const rule: FieldRule = { check: (value) => wrap(checkWord(words, value)) };
  return field(rule, { type: String, enum: [...words] }, options);
}

/** A list of words, each from the given ones. */
export function SomeOf(words: readonly string[], options: FieldOptions = {}): PropertyDecorator {
  const rule = textListRule({ max: words.length, each: (value) => checkWord(words, value), commas: true });
  return field(rule, { type: String, isArray: true, enum: [...words] }, options);
}

function checkWord(words: readonly string[], value: unknown): string | null {
  return typeof value === 'string' && words.includes(value) ? null : `must be one of ${words.join(', ')}`;
}

function wrap(message: string | null): Fault | null {
  return message === null ? null : { at: '', message };
}

/** A list of texts. In a query: the name repeated, and `a,b` too where `commas` says so. */
export function Texts(
  options: FieldOptions & { min?: number; max: number; each: TextLimits; commas?: boolean },
): PropertyDecorator {
  const { max, min, each, commas = false } = options;
  const rule = textListRule({
    max,
    ...(min === undefined ? {} : { min }),
    each: (value) => checkText(value, each),
    commas,
  });
  const items = { type: 'string', ...lengths(each) };
  return field(rule, { type: 'array', items, maxItems: max, ...(min ? { minItems: min } : {}) }, options);
}

/** At most 64 tags of 128 characters. In a query: `tags=a&tags=b` or `tags=a,b`. */
export function Tags(options: FieldOptions & { min?: number } = {}): PropertyDecorator {
  return Texts({ ...options, max: 64, each: { max: 128 }, commas: true });
}

export function Uuids(options: FieldOptions & { min?: number; max: number }): PropertyDecorator {
  const { max, min } = options;
  const rule = textListRule({
    max,
    ...(min === undefined ? {} : { min }),
    each: (value) => (typeof value === 'string' && isUuid(value) ? null : 'must be a UUID'),
    commas: true,
  });
  const items = { type: 'string', format: 'uuid' };
  return field(rule, { type: 'array', items, maxItems: max, ...(min ? { minItems: min } : {}) }, options);
}

/** Free JSON, measured as it would be written: UTF-8 bytes without spaces. 16 KB unless told. */
export function JsonObject(options: FieldOptions & { maxBytes?: number } = {}): PropertyDecorator {
  const rule = jsonObjectRule(options.maxBytes ?? 16_384);
  return field(rule, { type: 'object', additionalProperties: true }, options);
}

/** Finite numbers that fit 32-bit floats, not all zero. */
export function Vector(options: FieldOptions & { length?: number } = {}): PropertyDecorator {
  const { length } = options;
  const size = length === undefined ? { maxItems: 8192 } : { minItems: length, maxItems: length };
  return field(vectorRule(length), { type: 'array', items: { type: 'number' }, ...size }, options);
}

/** Swagger takes a function for a lazy type only if its name is `type`, as it is here. */
function lazily(dto: () => DtoClass): Schema {
  return { type: () => dto() };
}

/** An object that is a DTO of its own. */
export function Nested(dto: () => DtoClass, options: FieldOptions = {}): PropertyDecorator {
  return field(nestedRule(dto), { ...lazily(dto) }, options, Type(dto));
}

export function ListOf(
  dto: () => DtoClass,
  options: FieldOptions & { min?: number; max: number },
): PropertyDecorator {
  const schema = { ...lazily(dto), isArray: true, maxItems: options.max };
  return field(nestedListRule(dto, options), schema, options, Type(dto));
}

/**
 * A list of DTOs that the route reads one by one with `readItem`, so that a bad one does not refuse the others.
 * Here only the list and its being made of objects are checked.
 */
export function EachOf(
  dto: () => DtoClass,
  options: FieldOptions & { min?: number; max: number },
): PropertyDecorator {
  const rule = nestedListRule(dto, options);
  return field(
    { check: (value) => rule.check(value), list: true },
    { ...lazily(dto), isArray: true, maxItems: options.max },
    options,
  );
}

/**
 * For what other systems' clients send in shapes of their own, a list with commas or `"true"`: what `read` makes of it, which
 * is never refused; undefined is as if it had not come. `schema` says what is meant.
 */
export function Lenient(
  read: (given: unknown) => unknown,
  schema: Record<string, unknown>,
  options: Omit<FieldOptions, 'optional'>,
): PropertyDecorator {
  const list = schema['type'] === 'array' ? ({ list: true } as const) : {};
  return field({ check: () => null, read, ...list }, schema, { ...options, optional: true });
}

/** Accepted whatever it is, and dropped: for what other systems' clients send and Loci has no meaning for. */
export function Ignored(): PropertyDecorator {
  return applyDecorators(
    ValidateBy({
      name: FIELD_RULE,
      constraints: [{ rule: ignoredRule, nullable: true } satisfies RegisteredRule],
      validator: { validate: () => true },
    }),
    IsOptional(),
    ApiHideProperty(),
  );
}

const takesUnknown = new WeakSet<object>();

/** For doors that speak another protocol: fields that the class does not name are dropped, not refused. */
export function DropsUnknownFields(): ClassDecorator {
  return (target) => {
    takesUnknown.add(target);
  };
}

export function dropsUnknownFields(dto: DtoClass): boolean {
  return takesUnknown.has(dto);
}
