import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import {
  differencesWithin,
  nearbyCodes,
  nearestCodes,
  wordsFor,
  writeSignCode,
} from '../../../src/spaces/embedded/sign-codes.js';
import { codeDifferences, codesWithin, productsWith } from '../../../src/spaces/embedded/vector-kernels.js';
import { seeded, unit } from '../../contracts/points.js';

const vectorsOf = (dimensions: number, count: number, seed: number): Float32Array[] => {
  const random = seeded(seed);
  return Array.from({ length: count }, () => Float32Array.from({ length: dimensions }, () => random() - 0.5));
};

const cases = fc.record({
  dimensions: fc.oneof(fc.integer({ min: 1, max: 400 }), fc.constantFrom(1536, 4096, 16_384)),
  count: fc.integer({ min: 0, max: 30 }),
  seed: fc.integer({ min: 1 }),
});

describe('the kernels', () => {
  it('are what their source is assembled to (node scripts/assemble-kernels.mjs)', () => {
    const root = new URL('../../../', import.meta.url);
    const print =
      "import('./scripts/assemble-kernels.mjs').then(async (m) => process.stdout.write(await m.assembleKernels()))";
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', print], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(stdout).toBe(readFileSync(new URL('src/spaces/embedded/vector-kernels.wasm.ts', root), 'utf8'));
  });

  it('multiply as plain JavaScript does, wherever the vector lies', () => {
    fc.assert(
      fc.property(cases, ({ dimensions, count, seed }) => {
        const [question = new Float32Array(0), ...others] = vectorsOf(dimensions, count + 1, seed);
        const all = new Float32Array(dimensions * count);
        others.forEach((other, at) => all.set(other, at * dimensions));
        const products = productsWith(question);
        // Codes are compared between a question's products, and leave them alone.
        codeDifferences(new Uint32Array(4).fill(~0), new Uint32Array(4).fill(~0), 1, new Uint16Array(1));
        others.forEach((other, at) => {
          const expected = other.reduce((sum, value, i) => sum + value * (question[i] ?? 0), 0);
          expect(Math.abs(products(all, at * dimensions) - expected)).toBeLessThan(1e-6 * dimensions);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('count the bits in which codes differ, over more codes than fit at once', () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: 1, max: 400 }), ({ dimensions, count, seed }, repeats) => {
        const words = wordsFor(dimensions);
        const [question = new Float32Array(0), ...others] = vectorsOf(dimensions, count + 1, seed);
        const few = dimensions > 1_000 ? 1 : repeats;
        const codes = new Uint32Array(count * few * words);
        const code = new Uint32Array(words);
        writeSignCode(question, code, 0);
        for (let at = 0; at < count * few; at++) {
          writeSignCode(others[at % count] ?? question, codes, at * words);
        }
        const distances = new Uint16Array(count * few);
        codeDifferences(codes, code, count * few, distances);
        const expected = others.map(
          (other) => other.filter((value, i) => value > 0 !== (question[i] ?? 0) > 0).length,
        );
        expect([...distances]).toEqual(Array.from(distances, (_, at) => expected[at % count]));
      }),
      { numRuns: 60 },
    );
  });

  it('tell which codes differ in few enough bits from which questions, over more codes than fit at once', () => {
    fc.assert(
      fc.property(
        cases,
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 300 }),
        fc.double({ min: 0.3, max: 0.7, noNaN: true }),
        ({ dimensions, count, seed }, asked, repeats, share) => {
          const words = wordsFor(dimensions);
          const vectors = vectorsOf(dimensions, asked + count, seed);
          const [asking, others] = [vectors.slice(0, asked), vectors.slice(asked)];
          const places = count * (dimensions > 1_000 ? 1 : repeats);
          const codes = new Uint32Array(places * words);
          const once = new Uint32Array(count * words);
          others.forEach((other, at) => writeSignCode(other, once, at * words));
          for (let at = 0; at < places; at += count) codes.set(once, at * words);
          const questions = new Uint32Array(asked * words);
          asking.forEach((vector, at) => writeSignCode(vector, questions, at * words));
          const atMost = Array.from({ length: words / 4 }, (_, block) =>
            Math.floor(share * Math.min(dimensions, 128 * (block + 1))),
          );
          const told: string[] = [];
          codesWithin(codes, questions, places, atMost, (place, question, differences) =>
            told.push(`${place} ${question} ${differences}`),
          );
          // By what is alike of each of the others with each question.
          const alike = others.map((other) =>
            asking.map((vector) => {
              const differs = vector.map((value, i) => Number(value > 0 !== (other[i] ?? 0) > 0));
              const upTo = (end: number) => differs.subarray(0, end).reduce((sum, bit) => sum + bit, 0);
              const isWithin = atMost.every((bound, block) => upTo(128 * (block + 1)) <= bound);
              return isWithin ? upTo(dimensions) : null;
            }),
          );
          const expected = Array.from({ length: places }, (_, place) =>
            (alike[place % count] ?? []).flatMap((differences, question) =>
              differences === null ? [] : [`${place} ${question} ${differences}`],
            ),
          ).flat();
          expect(told).toEqual(expected);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('choose the nearest of those that are wanted', () => {
    const dimensions = 100;
    const words = wordsFor(dimensions);
    const [question = new Float32Array(0), ...others] = vectorsOf(dimensions, 10_001, 7);
    const codes = new Uint32Array(others.length * words);
    others.forEach((other, at) => writeSignCode(other, codes, at * words));
    const code = new Uint32Array(words);
    writeSignCode(question, code, 0);
    const mask = Uint8Array.from(others, (_, at) => (at % 3 === 0 ? 0 : 1));
    const has = Uint8Array.from(others, (_, at) => (at % 5 === 0 ? 2 : 3));
    const found = nearestCodes(codes, code, { mask, has, bit: 1, places: others.length }, 50);
    const distance = (at: number) =>
      others[at]?.filter((value, i) => value > 0 !== (question[i] ?? 0) > 0).length ?? Number.NaN;
    const wanted = others.flatMap((_, at) => (mask[at] === 1 && ((has[at] ?? 0) & 1) !== 0 ? [at] : []));
    const best = wanted.sort((a, b) => distance(a) - distance(b) || a - b).slice(0, 50);
    expect(found).toEqual(best.sort((a, b) => a - b));
  });

  it('leave out none whose vector is as near as is asked, and nearly all that are not', () => {
    const dimensions = 384;
    const words = wordsFor(dimensions);
    const [question = new Float32Array(0), ...others] = vectorsOf(dimensions, 2_001, 11).map(unit);
    // Every other one lies half-way to the question.
    const vectors = others.map((other, at) =>
      at % 2 === 0 ? other : unit(other.map((value, i) => value * 0.7 + (question[i] ?? 0))),
    );
    const codes = new Uint32Array(vectors.length * words);
    vectors.forEach((vector, at) => writeSignCode(vector, codes, at * words));
    const code = new Uint32Array(words);
    writeSignCode(question, code, 0);
    const both = new Uint32Array([...code, ...code.map((word) => ~word)]);
    const all = new Uint8Array(vectors.length).fill(1);
    const cosines = vectors.map((vector) =>
      vector.reduce((sum, value, i) => sum + value * (question[i] ?? 0), 0),
    );
    const near = cosines.flatMap((cosine, at) => (cosine >= 0.8 ? [at] : []));
    expect(near.length).toBeGreaterThan(500);
    const wanted = { mask: all, has: all, bit: 1, places: vectors.length };
    const within = differencesWithin(0.8, dimensions);
    const [found = [], turned = []] = nearbyCodes(codes, both, wanted, within, 2_000);
    expect(near.filter((at) => !found.includes(at))).toEqual([]);
    expect(found.filter((at) => at % 2 === 0)).toEqual([]);
    // Nothing lies on the other side.
    expect(turned).toEqual([]);
    // In the order of their differences; of few, the first of these.
    expect(nearbyCodes(codes, code, wanted, within, 10)).toEqual([found.slice(0, 10)]);
    const distances = new Uint16Array(vectors.length);
    codeDifferences(codes, code, vectors.length, distances);
    const inOrder = found.toSorted((a, b) => (distances[a] ?? 0) - (distances[b] ?? 0) || a - b);
    expect(found).toEqual(inOrder);
  });
});
