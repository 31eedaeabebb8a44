import { jsonFault, UNSTORABLE } from './json-check.js';
import type { Fault } from './json-check.js';

/** A class whose properties carry the decorators of `fields.ts`. */
export type DtoClass = new () => object;

/** One kind of value: what it must be, and how a query string's text becomes it. */
export interface FieldRule {
  /** The fault of a value that is neither undefined nor null; null where it is good. */
  check(value: unknown): Fault | null;
  /** From a query's text, or its texts where the name came repeatedly. What cannot be read stays as it is. */
  fromQuery?(raw: string | string[]): unknown;
  /** Takes the place of both: from whatever came, in a query or a body. Undefined: as if it had not come. */
  read?(given: unknown): unknown;
  /** Set where the value, or each item of the list, is a DTO of its own. */
  nested?: () => DtoClass;
  /** A query may spell the name `tags[]`, as some clients do for lists. */
  list?: true;
  /** Accepted, and dropped. */
  ignored?: true;
}

const fault = (message: string, at = ''): Fault => ({ at, message });

export interface TextLimits {
  /** In UTF-16 units; 1 unless told, and then the text must not be blank either. */
  min?: number;
  /** In UTF-16 units. */
  max?: number;
  /** In UTF-8 bytes. */
  maxBytes?: number;
  pattern?: RegExp;
  /** What the pattern asks for: 'must be …'. */
  patternSays?: string;
}

export function checkText(value: unknown, limits: TextLimits): string | null {
  if (typeof value !== 'string') return 'must be a string';
  const { min = 1, max, maxBytes, pattern } = limits;
  if (value.length < min) return min === 1 ? 'must not be empty' : `must have at least ${min} characters`;
  if (max !== undefined && value.length > max) return `must have at most ${max} characters`;
  if (maxBytes !== undefined && value.length * 3 > maxBytes && Buffer.byteLength(value) > maxBytes) {
    return `must have at most ${maxBytes} bytes in UTF-8`;
  }
  if (min > 0 && !/\S/.test(value)) return 'must not be blank';
  if (UNSTORABLE.test(value)) return 'must not contain NUL or half a surrogate pair';
  if (pattern !== undefined && !pattern.test(value)) {
    return limits.patternSays ?? `must match ${pattern.source}`;
  }
  return null;
}

export function textRule(limits: TextLimits): FieldRule {
  return {
    check(value) {
      const message = checkText(value, limits);
      return message === null ? null : fault(message);
    },
  };
}

export function numberRule(range: { min?: number; max?: number; whole: boolean }): FieldRule {
  const { min = -Infinity, max = Infinity, whole } = range;
  const kind = whole ? 'a whole number' : 'a number';
  const says =
    min === -Infinity && max === Infinity
      ? `must be ${kind}`
      : max === Infinity
        ? `must be ${kind}, at least ${min}`
        : min === -Infinity
          ? `must be ${kind}, at most ${max}`
          : `must be ${kind} from ${min} to ${max}`;
  return {
    check(value) {
      const good =
        typeof value === 'number' &&
        (whole ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
        value >= min &&
        value <= max;
      return good ? null : fault(says);
    },
    fromQuery: toNumber,
  };
}

function toNumber(raw: string | string[]): unknown {
  return typeof raw === 'string' && /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(raw) ? Number(raw) : raw;
}

export const flagRule: FieldRule = {
  check: (value) => (typeof value === 'boolean' ? null : fault('must be true or false')),
  fromQuery(raw) {
    if (raw === 'true' || raw === '1') return true;
    if (raw === 'false' || raw === '0') return false;
    return raw;
  },
};

/** A list of strings; in a query also written `a,b` unless the texts may themselves contain commas. */
export function textListRule(limits: {
  min?: number;
  max: number;
  each: (value: unknown) => string | null;
  commas: boolean;
}): FieldRule {
  return {
    list: true,
    check(value) {
      const wrong = checkList(value, limits);
      if (wrong !== null) return wrong;
      for (const [i, item] of (value as unknown[]).entries()) {
        const message = limits.each(item);
        if (message !== null) return fault(message, `[${i}]`);
      }
      return null;
    },
    fromQuery: (raw) => [raw].flat().flatMap((text) => (limits.commas ? splitCommas(text) : [text])),
  };
}

function splitCommas(text: string): string[] {
  return text.split(',').flatMap((part) => part.trim() || []);
}

export function checkList(value: unknown, limits: { min?: number; max: number }): Fault | null {
  if (!Array.isArray(value)) return fault('must be a list');
  if (value.length > limits.max) return fault(`must have at most ${limits.max} items`);
  const { min = 0 } = limits;
  if (value.length < min) return fault(min === 1 ? 'must not be empty' : `must have at least ${min} items`);
  return null;
}

export function vectorRule(length: number | undefined): FieldRule {
  const range = length === undefined ? { min: 1, max: 8192 } : { min: length, max: length };
  return {
    check(value) {
      if (!Array.isArray(value) || value.length < range.min || value.length > range.max) {
        return fault(`must be a list of ${length ?? 'at most 8192'} numbers`);
      }
      let length2 = 0;
      for (let i = 0; i < value.length; i++) {
        const x: unknown = value[i];
        if (typeof x !== 'number' || !(Math.abs(x) <= MAX_FLOAT32))
          return fault('must be a finite number', `[${i}]`);
        length2 += x * x;
      }
      // Only the direction of a vector means something, and zero has none.
      return length2 > 0 ? null : fault('must not be all zeros');
    },
    fromQuery(raw) {
      return [raw].flat().flatMap(splitCommas).map(toNumber);
    },
  };
}

/** Vectors are kept as 32-bit floats: what is beyond would become Infinity there. */
const MAX_FLOAT32 = 3.4028234663852886e38;

export function jsonObjectRule(maxBytes: number): FieldRule {
  return {
    check(value) {
      if (!isPlainObject(value)) return fault('must be an object');
      return Buffer.byteLength(JSON.stringify(value)) <= maxBytes
        ? null
        : fault(`must have at most ${maxBytes} bytes as JSON`);
    },
    fromQuery(raw) {
      if (typeof raw !== 'string') return raw;
      try {
        const parsed: unknown = JSON.parse(raw);
        return jsonFault(parsed) === null ? parsed : raw;
      } catch {
        return raw;
      }
    },
  };
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function nestedRule(dto: () => DtoClass): FieldRule {
  return {
    nested: dto,
    check: (value) => (isPlainObject(value) ? null : fault('must be an object')),
  };
}

export function nestedListRule(dto: () => DtoClass, limits: { min?: number; max: number }): FieldRule {
  return {
    nested: dto,
    list: true,
    check(value) {
      const wrong = checkList(value, limits);
      if (wrong !== null) return wrong;
      const i = (value as unknown[]).findIndex((item) => !isPlainObject(item));
      return i === -1 ? null : fault('must be an object', `[${i}]`);
    },
  };
}

export const ignoredRule: FieldRule = { check: () => null, ignored: true };
