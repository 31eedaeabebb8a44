import { Injectable } from '@nestjs/common';
import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { getMetadataStorage, validateSync, ValidationTypes } from 'class-validator';
import type { FieldError } from '../errors/domain-error.js';
import { isPlainObject } from './field-rules.js';
import type { DtoClass } from './field-rules.js';
import { dropsUnknownFields, faultOf, FIELD_RULE } from './fields.js';
import type { RegisteredRule } from './fields.js';
import { RequestInvalid } from './request.errors.js';

/** Where a DTO's values came from: a query's are texts and converted, a body's are taken as they are. */
type Source = 'body' | 'query' | 'path';

interface Field extends RegisteredRule {
  optional: boolean;
}

interface Shape {
  /** Null for a property that carries only class-validator's own decorators. */
  fields: Map<string, Field | null>;
  /** Whether class-validator has to run, for decorators of its own. */
  foreign: boolean;
  dropsUnknown: boolean;
}

/**
 * The one validating pipe: turns body, query and path into instances of their DTO classes, refuses unknown
 * fields, and names every fault by its place, such as `body.memories[2].importance`.
 *
 * Unlike Nest's, it copies nothing that is no DTO: a batch of embeddings would be walked number by number.
 * And the rules of `fields.ts`, which lie in class-validator's metadata, are called directly: its own executor
 * makes some objects for each property and takes three times as long. It runs where a class
 * carries other decorators than those.
 */
@Injectable()
export class ValidationPipe implements PipeTransform {
  transform(value: unknown, { type, metatype, data }: ArgumentMetadata): unknown {
    if (type === 'custom' || metatype === undefined) return value;
    const source = type === 'param' ? 'path' : type;
    if (data !== undefined) {
      // `@Query('name') name: string` would get a list where the name came twice.
      if (metatype === String && value !== undefined && typeof value !== 'string') {
        throw new RequestInvalid([{ location: `${source}.${data}`, message: 'must be a single text' }]);
      }
      return value;
    }
    if (PRIMITIVES.has(metatype)) return value;
    return readDto(metatype as DtoClass, value, source);
  }
}

const PRIMITIVES = new Set<unknown>([String, Number, Boolean, Array, Object]);

/** The DTO read from outside values; throws `RequestInvalid` with every fault found. */
export function readDto<Dto extends object>(dto: new () => Dto, value: unknown, source: Source): Dto {
  const errors: FieldError[] = [];
  if (value !== undefined && value !== null && !isPlainObject(value)) {
    throw new RequestInvalid([{ location: source, message: 'must be an object' }]);
  }
  const instance = readObject(dto, value ?? {}, source, source, errors);
  if (errors.length > 0) throw new RequestInvalid(errors);
  return instance;
}

/** One item of a list that was declared with `EachOf`, or what is wrong with it. `at`: `body.memories[2]`. */
export function readItem<Dto extends object>(
  dto: new () => Dto,
  item: object,
  at: string,
): { dto: Dto; errors: null } | { dto: null; errors: FieldError[] } {
  const errors: FieldError[] = [];
  const instance = readObject(dto, item, at, 'body', errors);
  return errors.length === 0 ? { dto: instance, errors: null } : { dto: null, errors };
}

function readObject<Dto extends object>(
  dto: new () => Dto,
  plain: object,
  at: string,
  source: Source,
  errors: FieldError[],
): Dto {
  const shape = shapeOf(dto);
  const instance = new dto();
  const faults = errors.length;
  for (const [key, given] of Object.entries(plain)) {
    const name = source === 'query' ? queryName(shape, key) : key;
    const field = shape.fields.get(name);
    if (field === undefined) {
      if (!shape.dropsUnknown) errors.push({ location: `${at}.${key}`, message: 'is not a known field' });
    } else if (given === undefined || field?.rule.ignored === true) {
      continue;
    } else if (field === null) {
      Reflect.set(instance, name, given);
    } else if (given !== null || field.nullable) {
      const value: unknown = readValue(field, given, source);
      if (value !== undefined)
        Reflect.set(instance, name, readNested(field, value, `${at}.${name}`, source, errors));
    }
  }
  for (const [name, field] of shape.fields) {
    const value: unknown = Reflect.get(instance, name);
    const fault = field === null ? null : faultOf(field, value, field.optional);
    if (fault !== null) errors.push({ location: `${at}.${name}${fault.at}`, message: fault.message });
  }
  if (shape.foreign) {
    for (const { property, constraints = {} } of validateSync(instance, VALIDATION)) {
      for (const [name, message] of Object.entries(constraints)) {
        if (name !== FIELD_RULE) errors.push({ location: `${at}.${property}`, message });
      }
    }
  }
  // Told in the order of the class's fields it reads the same each time, whatever the client's order was.
  if (errors.length - faults > 1) errors.push(...errors.splice(faults).sort(byLocation));
  return instance;
}

const byLocation = (a: FieldError, b: FieldError): number =>
  a.location.localeCompare(b.location, 'en', { numeric: true });

const VALIDATION = { forbidUnknownValues: false, validationError: { target: false, value: false } } as const;

function queryName(shape: Shape, key: string): string {
  if (!key.endsWith('[]')) return key;
  const name = key.slice(0, -2);
  return shape.fields.get(name)?.rule.list === true ? name : key;
}

function readValue(field: RegisteredRule, given: unknown, source: Source): unknown {
  if (field.rule.read !== undefined) return field.rule.read(given);
  return source === 'query' ? fromQuery(field, given) : given;
}

/** An empty value in a query is an absent one: `?session_id=&limit=5`. */
function fromQuery({ rule }: RegisteredRule, given: unknown): unknown {
  if (given === '') return undefined;
  const texts = Array.isArray(given)
    ? given.filter((text): text is string => typeof text === 'string')
    : given;
  if (typeof texts !== 'string' && !Array.isArray(texts)) return given;
  return rule.fromQuery === undefined ? texts : rule.fromQuery(texts);
}

function readNested(
  field: RegisteredRule,
  value: unknown,
  at: string,
  source: Source,
  errors: FieldError[],
): unknown {
  const { nested, list } = field.rule;
  // What is not of the right form is left as it is: the rule will say so.
  if (nested === undefined || value === null || field.rule.check(value) !== null) return value;
  const dto = nested();
  if (list !== true) return readObject(dto, value as object, at, source, errors);
  return (value as object[]).map((item, i) => readObject(dto, item, `${at}[${i}]`, source, errors));
}

const shapes = new WeakMap<object, Shape>();

/** What class-validator knows of a class, mapped types included, looked up once. */
function shapeOf(dto: DtoClass): Shape {
  const known = shapes.get(dto);
  if (known !== undefined) return known;
  const all = getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);
  const optional = new Set<string>();
  const shape: Shape = { fields: new Map(), foreign: false, dropsUnknown: dropsUnknownFields(dto) };
  for (const { type, propertyName } of all) {
    if (type === ValidationTypes.CONDITIONAL_VALIDATION) optional.add(propertyName);
  }
  for (const { type, propertyName, name, constraints } of all) {
    if (name === FIELD_RULE) {
      const [registered] = constraints as [RegisteredRule];
      shape.fields.set(propertyName, { ...registered, optional: optional.has(propertyName) });
    } else {
      if (!shape.fields.has(propertyName)) shape.fields.set(propertyName, null);
      if (type !== ValidationTypes.CONDITIONAL_VALIDATION) shape.foreign = true;
    }
  }
  shapes.set(dto, shape);
  return shape;
}
