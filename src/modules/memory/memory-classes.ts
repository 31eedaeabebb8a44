import type { FieldError } from '../../platform/errors/domain-error.js';
import type { TenantSettings } from '../../tenancy/principal.js';
import { askedTypes } from './memory-types.js';

/** What a memory is to its keeper: something that happened, something that is so, or something that was concluded. */
export const MEMORY_CLASSES = ['episodic', 'semantic', 'reflective'] as const;
export type MemoryClass = (typeof MEMORY_CLASSES)[number];

/** The class of every type that Loci knows. */
const CLASS_OF: Readonly<Record<string, MemoryClass>> = {
  Context: 'episodic',
  Episodic: 'episodic',
  Decision: 'semantic',
  Preference: 'semantic',
  Style: 'semantic',
  Habit: 'semantic',
  Semantic: 'semantic',
  Insight: 'reflective',
  Pattern: 'reflective',
  Reflective: 'reflective',
};
/** A tenant's own types, unless its settings say otherwise. */
const OTHERWISE: MemoryClass = 'semantic';
const MOST_OWN = 200;

/** Which types are of a class: these, or all but these where the class takes whatever has no other. */
export type TypesOfClass = { types: string[] } | { allBut: string[] };

/** By Loci's own table with what `settings.retention.classes` of the tenant adds to it. */
export function typesOf(wanted: MemoryClass, settings: TenantSettings): TypesOfClass {
  const table = Object.entries({ ...CLASS_OF, ...ownClasses(settings) });
  const ofClass = (is: boolean) => table.flatMap(([type, its]) => ((its === wanted) === is ? type : []));
  return wanted === OTHERWISE ? { allBut: ofClass(false) } : { types: ofClass(true) };
}

/** What is wrong with `settings.retention` that somebody wants to store. Null takes a type's class back. */
export function classErrors(settings: TenantSettings | undefined): FieldError[] {
  const at = 'body.settings.retention';
  const retention = settings?.['retention'];
  if (retention === undefined || retention === null) return [];
  if (!isObject(retention)) return [{ location: at, message: 'must be an object' }];
  const { classes } = retention;
  if (classes === undefined || classes === null) return [];
  if (!isObject(classes)) return [{ location: `${at}.classes`, message: 'must be an object' }];
  const named = Object.entries(classes);
  if (named.length > MOST_OWN)
    return [{ location: `${at}.classes`, message: `must name at most ${MOST_OWN} types` }];
  return named.flatMap(([type, its]) =>
    its === null || isClass(its)
      ? []
      : [
          {
            location: `${at}.classes.${type}`,
            message: `must be one of ${MEMORY_CLASSES.join(', ')}, or null`,
          },
        ],
  );
}

function ownClasses(settings: TenantSettings): Record<string, MemoryClass> {
  const retention = settings['retention'];
  const classes = isObject(retention) ? retention['classes'] : null;
  if (!isObject(classes)) return {};
  return Object.fromEntries(
    Object.entries(classes)
      .filter((entry): entry is [string, MemoryClass] => isClass(entry[1]))
      .flatMap(([type, its]) => askedTypes([type]).map((name) => [name, its] as const)),
  );
}

function isClass(value: unknown): value is MemoryClass {
  return (MEMORY_CLASSES as readonly unknown[]).includes(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
