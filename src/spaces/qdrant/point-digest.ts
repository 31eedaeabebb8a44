import { exactDigest, unitVectorDigest, vectorDigest, type Digest } from '../digest.js';
import type { MemoryPoint } from '../vector-space.js';
import { beginnings, fieldsOf, vectorsOf, type Destination } from './memory-points.js';
import type { ModelNames } from './model-names.js';
import type { Abilities } from './server-abilities.js';

/** A point as the server shows it. */
export interface ShownPoint {
  vector?: unknown;
  payload?: Record<string, unknown> | null | undefined;
}

/** Of a point as it lies in the collection. Dense vectors come back as the server scaled them: to unit length. */
export function digestOfPoint(
  { vector, payload }: ShownPoint,
  names: ModelNames,
  abilities: Abilities,
): Digest {
  const vectors = membersOf(vector);
  const [alone, joined] = [numbersIn(vectors[names.alone]), numbersIn(vectors[names.joined])];
  const fields = membersOf(payload);
  const prefixesFit =
    abilities.prefixes || sameWords(fields['tag_prefixes'], beginnings(wordsIn(fields['tags'])));
  return {
    exact: exactDigest(exactly(fields, vectors, names, [alone !== null, joined !== null, prefixesFit])),
    vectors: [...vectorDigest(alone), ...vectorDigest(joined)],
  };
}

/** Of what a point is to be. */
export function digestOfMemory(memory: MemoryPoint, to: Pick<Destination, 'model' | 'names'>): Digest {
  const vectors = vectorsOf(memory, to);
  const alone = unitVectorDigest(memory.alone.vector);
  const joined = unitVectorDigest(memory.joined?.vector ?? null);
  return {
    exact: exactDigest(
      exactly(fieldsOf(memory), vectors, to.names, [alone.length > 0, joined.length > 0, true]),
    ),
    vectors: [...alone, ...joined],
  };
}

const FIELDS = [
  'type',
  'timestamp',
  'terms',
  'follows',
  'valid_from',
  'valid_until',
  'session',
  'user',
  'agent',
  'speaker',
  'asked',
  'importance',
  'confidence',
];

function exactly(
  fields: Record<string, unknown>,
  vectors: Record<string, unknown>,
  names: ModelNames,
  facts: boolean[],
): unknown[] {
  return [
    FIELDS.map((field) => fields[field] ?? null),
    [...new Set(wordsIn(fields['tags']))].sort(),
    textIn(vectors[names.textAlone]),
    textIn(vectors[names.textJoined]),
    facts,
  ];
}

/** Words in the order of their numbers; what each is worth was sent with five decimals (`sparse-text.ts`). */
function textIn(sparse: unknown): [number, number][] {
  const { indices = [], values = [] } = membersOf(sparse) as { indices?: number[]; values?: number[] };
  return indices
    .map((index, at): [number, number] => [index, Math.round((values[at] ?? 0) * 1e5)])
    .sort(([a], [b]) => a - b);
}

function numbersIn(dense: unknown): number[] | null {
  return Array.isArray(dense) ? (dense as number[]) : null;
}

function wordsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function sameWords(stored: unknown, wanted: string[]): boolean {
  return wordsIn(stored).sort().join('\0') === [...wanted].sort().join('\0');
}

function membersOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
