import fc from 'fast-check';
import type { LedgerId, SpaceAddress } from '../../src/spaces/projection.js';
import type {
  EmbeddingModel,
  Filter,
  MemoryPoint,
  NearQuery,
  VectorEngine,
  VectorItem,
  VectorSpace,
} from '../../src/spaces/vector-space.js';
import { sameDigest } from '../../src/spaces/digest.js';
import type { WorkspaceId } from '../../src/tenancy/tenant.js';
import { ledgerOf, newAddress, newWorkspace, type EngineUnderTest } from './engine-under-test.js';
import { clusteredVectors, point, question, seeded, towards, type PointWords } from './points.js';
import { applyItems, EMPTY, projectionContract } from './projection.contract.js';

export interface VectorAbilities {
  /** Cosines come back as computed (within 1e-4), and every memory of a small space is looked at. */
  exactScores: boolean;
  /** A second model is added without a loss. Where it is not, the first is filled again by replay. */
  modelsSideBySide: boolean;
}

/** What of a memory is made another behind the engine's back. */
export const SPOILT = [
  'vector',
  'joined vector',
  'word',
  'joined word',
  'type',
  'tag',
  'time',
  'session',
] as const;
export type Spoilt = (typeof SPOILT)[number];

export interface VectorEngineUnderTest extends EngineUnderTest<VectorEngine> {
  /** Changes so much and no more of the memory with this id, in the store itself. */
  spoil(address: SpaceAddress, id: string, what: Spoilt): Promise<void>;
}

const DIMENSIONS = 8;
const NO_DIGEST = { exact: '', vectors: [] };
const MODEL: EmbeddingModel = { name: 'contract', dimensions: DIMENSIONS };

/** Everything that a vector space promises. One line for each adapter. */
export function vectorSpaceContract(
  name: string,
  makeEngine: () => Promise<VectorEngineUnderTest>,
  abilities: VectorAbilities,
): void {
  describe(`vector space: ${name}`, () => {
    let made: VectorEngineUnderTest;
    let address: SpaceAddress;
    let ledger: LedgerId;
    let workspace: WorkspaceId;
    let space: VectorSpace;

    beforeAll(async () => {
      made = await makeEngine();
    });
    afterAll(() => made.close());
    beforeEach(() => {
      address = newAddress();
      ledger = ledgerOf(address);
      workspace = newWorkspace();
      space = made.engine.open(address, MODEL);
    });
    afterEach(() => made.engine.drop(address));

    const hold = (...points: PointWords[]): Promise<unknown> =>
      applyItems(
        space,
        ledger,
        points.map((words) => point(workspace, words)),
      );
    const idsFor = async (words: Parameters<typeof question>[1]): Promise<string[]> =>
      (await space.search(question(workspace, words))).map(({ id }) => id);

    describe('as a projection', () => {
      projectionContract<VectorItem>(() => ({
        projection: space,
        ledger,
        otherLedger: ledgerOf(address, 2),
        item: (id, revision) =>
          point(workspace, { id: `m${id}`, revision, text: 'tea', vector: towards(DIMENSIONS, 1) }),
        tombstone: (id, revision) => ({ workspace, id: `m${id}`, revision, gone: true }),
        held: async () =>
          (await space.list())
            .map(({ id, revision }) => ({ id: Number(id.slice(1)), revision }))
            .sort((a, b) => a.id - b.id),
        exists: () => made.holds(address),
      }));
    });

    describe('listing what it holds', () => {
      const one = (words: Partial<PointWords>): MemoryPoint =>
        point(workspace, {
          id: 'a',
          revision: 1,
          text: 'green tea in the morning, and tea again',
          vector: towards(DIMENSIONS, 0.6, -0.3, 0.2),
          before: { text: 'what is drunk when', vector: towards(DIMENSIONS, -0.2, 0.9, 0.1, 0.4) },
          type: 'Fact',
          tags: ['drinks', 'habits'],
          timestamp: 1_700_000_000_123,
          session: 's1',
          ...words,
        });
      const held = async () => new Map((await space.list()).map(({ id, digest }) => [id, digest]));
      const isAsItShouldBe = async (item: MemoryPoint): Promise<boolean> => {
        const digest = (await held()).get(item.id);
        return digest !== undefined && sameDigest(digest, space.digestOf(item));
      };

      it('shows of each memory the digest that it should have, however many there are', async () => {
        const random = seeded(7);
        const vectors = clusteredVectors(700, DIMENSIONS, 9, random);
        const items = vectors.map((vector, at): MemoryPoint => {
          const { before, ...bare } = {
            id: `m${at}`,
            revision: at + 1,
            text: `word${at % 31} word${at % 7} tea`,
            vector,
            before: { text: `before${at % 5}`, vector: at % 3 === 0 ? null : (vectors[at - 1] ?? null) },
          };
          return one({ ...bare, ...(at % 2 === 0 ? { before } : {}), tags: [`t${at % 9}`, 'b', 'a', 'b'] });
        });
        items.push(
          one({ id: 'without', revision: 701, vector: null }),
          one({ id: 'nowhere', revision: 702, vector: new Float32Array(DIMENSIONS) }),
          one({ id: 'silent', revision: 703, text: '' }),
          one({ id: 'long', revision: 704, text: 'again '.repeat(400) }),
          one({ id: 'unscaled', revision: 705, vector: towards(DIMENSIONS, 1, 2).map((value) => value * 7) }),
          one({ id: 'bound', revision: 706, validFrom: 5, validUntil: 9, user: 'u', agent: 'g' }),
        );
        for (let at = 0; at < items.length; at += 100)
          await applyItems(space, ledger, items.slice(at, at + 100));
        const shown = await held();
        const wrong = items.filter((item) => {
          const digest = shown.get(item.id);
          return digest === undefined || !sameDigest(digest, space.digestOf(item));
        });
        expect(wrong.map(({ id }) => id)).toEqual([]);
        expect(shown.size).toBe(items.length);
      });

      it.each(SPOILT)('shows another digest where a %s was changed in the store', async (what) => {
        const [item, other] = [one({}), one({ id: 'b', revision: 2 })];
        await applyItems(space, ledger, [item, other]);
        expect([await isAsItShouldBe(item), await isAsItShouldBe(other)]).toEqual([true, true]);
        await made.spoil(address, 'a', what);
        expect([await isAsItShouldBe(item), await isAsItShouldBe(other)]).toEqual([false, true]);
      });

      it('shows another digest for whatever else a memory might say', async () => {
        const item = one({});
        await applyItems(space, ledger, [item]);
        const [shown] = await space.list();
        const others: Partial<PointWords>[] = [
          { text: 'green tea in the morning' },
          { text: 'green tea in the morning, tea and tea again' },
          { vector: null },
          { vector: towards(DIMENSIONS, 0.6, -0.3, 0.21) },
          { before: { text: 'what is eaten when', vector: towards(DIMENSIONS, -0.2, 0.9, 0.1, 0.4) } },
          { before: { text: 'what is drunk when', vector: null } },
          { tags: ['drinks'] },
          { tags: ['drinks', 'habit'] },
          { timestamp: 1_700_000_000_124 },
          { session: 's2' },
          { user: 's1' },
          { agent: 's1' },
          { validFrom: 1 },
          { validUntil: 1 },
          { type: 'Facts' },
        ];
        const alike = others.filter((words) =>
          sameDigest(space.digestOf(one(words)), shown?.digest ?? NO_DIGEST),
        );
        expect(alike).toEqual([]);
        expect(
          sameDigest(
            space.digestOf(one({ tags: ['habits', 'drinks', 'habits'] })),
            shown?.digest ?? NO_DIGEST,
          ),
        ).toBe(true);
      });
    });

    describe('searching', () => {
      it('finds nothing in a space that is not there, and makes none', async () => {
        expect(await idsFor({ text: 'tea', vector: towards(DIMENSIONS, 1) })).toEqual([]);
        expect(await idsFor({})).toEqual([]);
        expect(await space.count()).toBe(0);
        expect(await made.holds(address)).toBe(false);
      });

      it('puts the nearest vector first', async () => {
        await hold(
          { revision: 1, vector: towards(DIMENSIONS, 1, 1) },
          { revision: 2, vector: towards(DIMENSIONS, 1, 0.1) },
          { revision: 3, vector: towards(DIMENSIONS, 0, 1) },
        );
        expect(await idsFor({ vector: towards(DIMENSIONS, 1) })).toEqual(['m2', 'm1', 'm3']);
      });

      it('puts the text that says more of the question first', async () => {
        await hold(
          { revision: 1, text: 'Melanie painted a sunrise over the lake' },
          { revision: 2, text: 'Caroline went to a support group' },
          { revision: 3, text: 'the sunrise was late that day, as it is in winter' },
        );
        const found = await space.search(
          question(workspace, { text: 'When did Melanie paint the sunrise?' }),
        );
        expect(found.map(({ id }) => id)).toEqual(['m1', 'm3']);
        expect(found[0]?.text.alone).toBeGreaterThan(found[1]?.text.alone ?? Number.NaN);
        expect(found[0]?.vector).toEqual({ alone: null, joined: null });
      });

      it('counts a rare word for more than a common one', async () => {
        const common = Array.from({ length: 8 }, (_, at) => ({
          revision: at + 1,
          text: `tea with friend number${at}`,
        }));
        await hold(...common, { revision: 9, text: 'samovar with a friend' });
        expect((await idsFor({ text: 'tea samovar' }))[0]).toBe('m9');
      });

      it('finds by text what has no vector, and by vector what has no text', async () => {
        await hold({ revision: 1, text: 'a samovar' }, { revision: 2, vector: towards(DIMENSIONS, 1) });
        const found = await space.search(
          question(workspace, { text: 'samovar', vector: towards(DIMENSIONS, 1) }),
        );
        expect(new Map(found.map(({ id, vector, text }) => [id, [vector.alone, text.alone]]))).toEqual(
          new Map([
            ['m1', [null, ANY_NUMBER]],
            ['m2', [about(1), null]],
          ]),
        );
        expect(await idsFor({ text: 'samovar' })).toEqual(['m1']);
        expect(await idsFor({ vector: towards(DIMENSIONS, 1) })).toEqual(['m2']);
      });

      it('finds a memory by what it was joined to, and tells the parts apart', async () => {
        await hold({
          revision: 1,
          text: 'yes, two years ago',
          vector: towards(DIMENSIONS, 0, 1),
          before: { text: 'do you own a telescope', vector: towards(DIMENSIONS, 1) },
        });
        const [found] = await space.search(
          question(workspace, { text: 'telescope', vector: towards(DIMENSIONS, 1) }),
        );
        expect(found).toMatchObject({
          id: 'm1',
          vector: { alone: about(0), joined: about(1) },
          text: { alone: null, joined: ANY_NUMBER },
        });
      });

      it('tells of each candidate what ranking asks, however it was found', async () => {
        await hold(
          { revision: 1, text: 'a samovar', session: 'tea', timestamp: 1_700_000_000_000, importance: 0.91 },
          {
            revision: 2,
            text: 'Mary Ann: two cups of tea. Who pours?',
            tags: ['drinks', 'guests'],
            confidence: 0.07,
            session: 'tea',
            timestamp: 1_700_000_060_000,
            vector: towards(DIMENSIONS, 1),
            before: { text: 'a samovar', vector: null },
          },
          { revision: 3, text: 'nothing', timestamp: -1 },
        );
        const plain = {
          ...{ session: null, follows: false, speaker: null, asked: 0 },
          ...{ importance: 0.5, confidence: 0.8, marks: [] as string[] },
        };
        const marks = ['nobody bears', 'guests'];
        const told = [
          { ...plain, id: 'm1', session: 'tea', timestamp: 1_700_000_000_000, terms: 1, importance: 0.91 },
          {
            ...plain,
            ...{ id: 'm2', session: 'tea', timestamp: 1_700_000_060_000, terms: 6, follows: true },
            ...{ speaker: 'mari ann', asked: 0.33, confidence: 0.07, marks: ['guests'] },
          },
        ];
        const none = { vector: { alone: null, joined: null }, text: { alone: null, joined: null } };
        for (const words of [{ text: 'samovar cups' }, { text: 'samovar', vector: towards(DIMENSIONS, 1) }]) {
          const found = await space.search(question(workspace, { ...words, marks }));
          const about = found.map((candidate) => ({ ...candidate, ...none }));
          expect(about.sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(
            told.map((one) => ({ ...one, ...none })),
          );
        }
        const newest = await space.search(question(workspace, { marks }));
        expect(newest).toEqual(
          [told[1], told[0], { ...plain, id: 'm3', timestamp: -1, terms: 1 }].map((one) => ({
            ...one,
            ...none,
          })),
        );
      });

      it('tells who speaks in a workspace, as long as they do', async () => {
        await hold(
          { revision: 1, text: 'Ada: a samovar' },
          { revision: 2, text: 'Mary Ann: for whom?' },
          { revision: 3, text: 'Ada: for us' },
          { revision: 4, text: 'nobody says so' },
        );
        await applyItems(space, ledger, [
          point(newWorkspace(), { id: 'm5', revision: 5, text: 'Grace: not here' }),
        ]);
        expect((await space.speakers(workspace, 10)).sort()).toEqual(['ada', 'mari ann']);
        expect(await space.speakers(workspace, 1)).toHaveLength(1);
        await hold({ id: 'm2', revision: 6, text: 'for whom?' });
        expect(await space.speakers(workspace, 10)).toEqual(['ada']);
      });

      it('gives vector scores also to what was found by text', async () => {
        const near = Array.from({ length: 12 }, (_, at) => ({
          revision: at + 1,
          vector: towards(DIMENSIONS, 1, at / 100),
        }));
        await hold(...near, { revision: 20, text: 'samovar', vector: towards(DIMENSIONS, 0, 1) });
        const found = await space.search(
          question(workspace, { text: 'samovar', vector: towards(DIMENSIONS, 1), limit: 4 }),
        );
        expect(found.find(({ id }) => id === 'm20')?.vector).toEqual({
          alone: about(0),
          joined: null,
        });
      });

      it('takes the best of every part before the second of any', async () => {
        await hold(
          { revision: 1, vector: towards(DIMENSIONS, 1) },
          { revision: 2, vector: towards(DIMENSIONS, 1, 0.2) },
          { revision: 3, text: 'samovar', vector: towards(DIMENSIONS, 0, 0, 1) },
          {
            revision: 4,
            text: 'no',
            vector: towards(DIMENSIONS, 0, 0, 0, 1),
            before: { text: 'telescope', vector: null },
          },
        );
        const ids = await idsFor({ text: 'samovar telescope', vector: towards(DIMENSIONS, 1), limit: 3 });
        expect(ids.sort()).toEqual(['m1', 'm3', 'm4']);
      });

      it('gives each memory once, and no more than the limit', async () => {
        await hold(
          ...Array.from({ length: 30 }, (_, at) => ({
            revision: at + 1,
            text: 'tea',
            vector: towards(DIMENSIONS, 1, at),
            before: { text: 'tea', vector: towards(DIMENSIONS, 1, at) },
          })),
        );
        const ids = await idsFor({ text: 'tea', vector: towards(DIMENSIONS, 1), limit: 10 });
        expect(ids).toHaveLength(10);
        expect(new Set(ids).size).toBe(10);
        expect(await idsFor({ text: 'tea', vector: towards(DIMENSIONS, 1), limit: 1 })).toEqual(['m1']);
      });

      it('tells whose own vectors are near, the nearest first, and nobody else', async () => {
        const joinedNear = { text: 'tea', vector: towards(DIMENSIONS, 1) };
        await hold(
          { id: 'further', revision: 1, vector: towards(DIMENSIONS, 3, 1) },
          { id: 'same', revision: 2, vector: towards(DIMENSIONS, 1) },
          { id: 'joined alone is near', revision: 3, vector: towards(DIMENSIONS, 0, 1), before: joinedNear },
          { id: 'same too', revision: 4, vector: towards(DIMENSIONS, 1), type: 'Decision' },
          { id: 'away', revision: 5, vector: towards(DIMENSIONS, 1, 2) },
          { id: 'without', revision: 6, vector: null },
        );
        const vector = towards(DIMENSIONS, 1);
        const nearEach = (more: Partial<NearQuery> = {}) =>
          space.near({ workspace, vectors: [vector], atLeast: 0.8, filter: {}, limit: 10, ...more });
        const near = async (more: Partial<NearQuery> = {}) => (await nearEach(more)).flat();
        const found = await near();
        expect(found.map(({ id }) => id)).toEqual(['same', 'same too', 'further']);
        expect(found[0]?.cosine).toBeCloseTo(1, 4);
        expect((await near({ limit: 1 })).map(({ id }) => id)).toEqual(['same']);
        expect((await near({ filter: { types: ['Decision'] } })).map(({ id }) => id)).toEqual(['same too']);
        expect((await near({ atLeast: 0.9999 })).map(({ id }) => id)).toEqual(['same', 'same too']);
        expect(await near({ workspace: newWorkspace() })).toEqual([]);
        await expect(near({ vectors: [vector, new Float32Array(3)] })).rejects.toThrow(RangeError);
        const vectors = [towards(DIMENSIONS, 0, 1), towards(DIMENSIONS, 0, 0, 1), vector];
        const each = await nearEach({ vectors, limit: 2 });
        expect(each.map((own) => own.map(({ id }) => id))).toEqual([
          ['joined alone is near', 'away'],
          [],
          ['same', 'same too'],
        ]);
        expect(await nearEach({ vectors: [] })).toEqual([]);
      });

      it('finds nothing near in a space that is not there, and makes none', async () => {
        const vector = towards(DIMENSIONS, 1);
        const query = { workspace, vectors: [vector, vector], atLeast: 0, filter: {}, limit: 5 };
        expect(await space.near(query)).toEqual([[], []]);
        expect(await made.holds(address)).toBe(false);
      });

      it('settles ties by id', async () => {
        const same = { text: 'tea', vector: towards(DIMENSIONS, 1), timestamp: 7 };
        await hold(...['d', 'b', 'e', 'a', 'c'].map((id, at) => ({ ...same, id, revision: at + 1 })));
        expect(await idsFor({ vector: towards(DIMENSIONS, 1), limit: 3 })).toEqual(['a', 'b', 'c']);
        expect(await idsFor({ text: 'tea', limit: 3 })).toEqual(['a', 'b', 'c']);
        expect(await idsFor({ limit: 3 })).toEqual(['a', 'b', 'c']);
      });

      it('gives the newest first where there is neither vector nor word', async () => {
        await hold(
          { revision: 1, timestamp: 50 },
          { revision: 2, timestamp: 70, text: 'tea' },
          { revision: 3, timestamp: 60, vector: towards(DIMENSIONS, 1) },
        );
        const found = await space.search(question(workspace, { limit: 2 }));
        const nothing = { vector: { alone: null, joined: null }, text: { alone: null, joined: null } };
        expect(found).toMatchObject([
          { id: 'm2', ...nothing },
          { id: 'm3', ...nothing },
        ]);
      });

      it('finds nothing where no word of the question occurs', async () => {
        await hold({ revision: 1, text: 'tea' });
        expect(await idsFor({ text: 'samovar' })).toEqual([]);
      });

      it('finds Arabic, Chinese and Russian text', async () => {
        await hold(
          { revision: 1, text: 'أحمد يحب القهوة' },
          { revision: 2, text: '我喜欢喝绿茶' },
          { revision: 3, text: 'бабушкин самовар' },
        );
        expect(await idsFor({ text: 'القهوة' })).toEqual(['m1']);
        expect(await idsFor({ text: '绿茶' })).toEqual(['m2']);
        expect(await idsFor({ text: 'Самовар' })).toEqual(['m3']);
      });

      it('finds texts of other languages by their words in other forms, whatever the question tells of its language', async () => {
        await hold(
          { revision: 1, text: 'Meine Katze schläft am liebsten im Garten.' },
          { revision: 2, text: 'Mi hermana está trabajando en dos canciones nuevas.' },
          { revision: 3, text: 'The cat sleeps in the garden; the war is over.' },
        );
        expect(await idsFor({ text: 'Wo sind die Katzen?' })).toEqual(['m1']);
        expect(await idsFor({ text: 'Gärten' })).toEqual(['m1']);
        expect(await idsFor({ text: 'canción' })).toEqual(['m2']);
        expect(await idsFor({ text: 'sleeping cats' })).toEqual(['m3']);
      });

      it('takes words that mean something to a query language as words', async () => {
        await applyItems(space, ledger, [
          {
            ...point(workspace, { revision: 1 }),
            alone: { terms: ['near', '"', '*', "o'x", '-not'], vector: null },
          },
        ]);
        for (const term of ['near', '"', '*', "o'x", '-not']) {
          expect((await space.search({ ...question(workspace), terms: [term] })).map(({ id }) => id)).toEqual(
            ['m1'],
          );
        }
        expect(await space.search({ ...question(workspace), terms: ['or', 'and', '('] })).toEqual([]);
      });

      if (abilities.exactScores) {
        it('scores every vector with its cosine', async () => {
          const random = seeded(5);
          const vectors = clusteredVectors(60, DIMENSIONS, 6, random);
          await hold(...vectors.map((vector, at) => ({ revision: at + 1, vector })));
          const asked = clusteredVectors(1, DIMENSIONS, 1, random)[0] ?? towards(DIMENSIONS, 1);
          const found = await space.search(question(workspace, { vector: asked, limit: 60 }));
          const cosines = new Map(
            vectors.map((vector, at) => [
              `m${at + 1}`,
              vector.reduce((sum, value, i) => sum + value * (asked[i] ?? 0), 0),
            ]),
          );
          expect(found).toHaveLength(60);
          for (const { id, vector } of found)
            expect(vector.alone).toBeCloseTo(cosines.get(id) ?? Number.NaN, 4);
          const scores = found.map(({ vector }) => vector.alone ?? Number.NaN);
          expect(scores).toEqual([...scores].sort((a, b) => b - a));
        });
      }
    });

    describe('changing', () => {
      it('finds a changed memory by its new words, vector, tags and times alone', async () => {
        await hold({
          id: 'a',
          revision: 1,
          text: 'tea',
          tags: ['old'],
          vector: towards(DIMENSIONS, 1),
          validUntil: 5,
        });
        await hold({
          id: 'a',
          revision: 2,
          text: 'coffee',
          tags: ['new'],
          vector: towards(DIMENSIONS, 0, 1),
        });
        expect(await idsFor({ text: 'tea' })).toEqual([]);
        expect(await idsFor({ text: 'coffee' })).toEqual(['a']);
        expect(await idsFor({ filter: { tags: { values: ['old'], mode: 'any', match: 'exact' } } })).toEqual(
          [],
        );
        expect(await idsFor({ filter: { tags: { values: ['new'], mode: 'any', match: 'exact' } } })).toEqual([
          'a',
        ]);
        expect(await idsFor({ filter: { validAt: 9 } })).toEqual(['a']);
        const [found] = await space.search(question(workspace, { vector: towards(DIMENSIONS, 1) }));
        expect(found?.vector.alone).toBeCloseTo(0, 4);
        expect(await space.count()).toBe(1);
      });

      it('takes a vector that arrives later, and gives one up that is taken away', async () => {
        await hold({ id: 'a', revision: 1, text: 'tea' });
        expect(await idsFor({ vector: towards(DIMENSIONS, 1) })).toEqual([]);
        await hold({ id: 'a', revision: 2, text: 'tea', vector: towards(DIMENSIONS, 1) });
        expect(await idsFor({ vector: towards(DIMENSIONS, 1) })).toEqual(['a']);
        await hold({ id: 'a', revision: 3, text: 'tea' });
        expect(await idsFor({ vector: towards(DIMENSIONS, 1) })).toEqual([]);
        expect(await idsFor({ text: 'tea' })).toEqual(['a']);
      });

      it('gives up the joined text where no memory comes before any more', async () => {
        await hold({
          id: 'a',
          revision: 1,
          text: 'yes',
          before: { text: 'telescope', vector: towards(DIMENSIONS, 1) },
        });
        await hold({ id: 'a', revision: 2, text: 'yes', vector: towards(DIMENSIONS, 0, 1) });
        expect(await idsFor({ text: 'telescope' })).toEqual([]);
        const [found] = await space.search(question(workspace, { vector: towards(DIMENSIONS, 1) }));
        expect(found?.vector.joined).toBeNull();
      });

      it('finds nothing of a deleted memory', async () => {
        await hold({
          id: 'a',
          revision: 1,
          text: 'tea',
          tags: ['x'],
          session: 's',
          vector: towards(DIMENSIONS, 1),
        });
        await applyItems(space, ledger, [{ workspace, id: 'a', revision: 2, gone: true }]);
        expect(await idsFor({ text: 'tea', vector: towards(DIMENSIONS, 1) })).toEqual([]);
        expect(await idsFor({})).toEqual([]);
        expect(await idsFor({ filter: { session: 's' } })).toEqual([]);
        expect(await space.count()).toBe(0);
      });

      it('refuses a vector of another length, and nothing of its batch is applied', async () => {
        const wrong = point(workspace, { revision: 2, vector: new Float32Array(DIMENSIONS + 1).fill(1) });
        await expect(applyItems(space, ledger, [point(workspace, { revision: 1 }), wrong])).rejects.toThrow();
        expect(await space.watermark()).toEqual(EMPTY);
        await expect(space.search(question(workspace, { vector: new Float32Array(3) }))).rejects.toThrow();
      });

      it('takes vectors that lie in one shared buffer, and leaves them as they are', async () => {
        const shared = new Float32Array(DIMENSIONS * 3);
        shared.set(towards(DIMENSIONS, 0, 1), DIMENSIONS);
        const view = shared.subarray(DIMENSIONS, DIMENSIONS * 2);
        await hold({ revision: 1, vector: view });
        expect(view).toEqual(towards(DIMENSIONS, 0, 1));
        const [found] = await space.search(question(workspace, { vector: view }));
        expect(found?.vector.alone).toBeCloseTo(1, 4);
        expect(view).toEqual(towards(DIMENSIONS, 0, 1));
      });
    });

    describe('filters', () => {
      beforeEach(() =>
        hold(
          {
            id: 'a',
            revision: 1,
            tags: ['user:ann', 'x', '100%'],
            type: 'Decision',
            timestamp: 10,
            session: 's1',
            validFrom: 5,
          },
          {
            id: 'b',
            revision: 2,
            tags: ['user:bob', 'x'],
            type: 'Pattern',
            timestamp: 20,
            user: 'u1',
            validUntil: 50,
          },
          {
            id: 'c',
            revision: 3,
            tags: ['usual', '100_'],
            type: 'Insight',
            timestamp: 30,
            agent: 'g1',
            validFrom: 5,
            validUntil: 50,
          },
          {
            id: 'd',
            revision: 4,
            tags: ['100', '1000'],
            type: 'Decision',
            timestamp: 40,
            session: 's1',
            user: 'u1',
          },
        ),
      );

      const tags = (values: string[], mode: 'any' | 'all', match: 'exact' | 'prefix'): Filter => ({
        tags: { values, mode, match },
      });
      it.each<[string, Filter, string]>([
        ['nothing asked', {}, 'abcd'],
        ['any tag', tags(['user:ann', 'usual', 'none'], 'any', 'exact'), 'ac'],
        ['all tags', tags(['x', 'user:bob'], 'all', 'exact'), 'b'],
        ['all tags, one of them twice', tags(['x', 'x'], 'all', 'exact'), 'ab'],
        ['all tags, one nobody has', tags(['x', 'none'], 'all', 'exact'), ''],
        ['exact is not prefix', tags(['user'], 'any', 'exact'), ''],
        ['a prefix', tags(['user:'], 'any', 'prefix'), 'ab'],
        ['a prefix that is a whole tag', tags(['usual'], 'any', 'prefix'), 'c'],
        ['any prefix', tags(['user:a', 'usu'], 'any', 'prefix'), 'ac'],
        ['all prefixes', tags(['us', 'x'], 'all', 'prefix'), 'ab'],
        ['a prefix with a percent sign is no pattern', tags(['100%'], 'any', 'prefix'), 'a'],
        ['a prefix with an underscore is no pattern', tags(['100_'], 'any', 'prefix'), 'c'],
        ['a prefix of two tags of one memory', tags(['100'], 'all', 'prefix'), 'acd'],
        ['tags are case-sensitive', tags(['X'], 'any', 'exact'), ''],
        ['excluded tags', { excludeTags: ['x', '1000'] }, 'c'],
        ['excluded tags that nobody has', { excludeTags: ['none'] }, 'abcd'],
        ['a tag, and another excluded', { ...tags(['x'], 'any', 'exact'), excludeTags: ['user:ann'] }, 'b'],
        ['a type', { types: ['Decision'] }, 'ad'],
        ['types', { types: ['Pattern', 'Insight', 'None'] }, 'bc'],
        ['from, inclusive', { from: 20 }, 'bcd'],
        ['until, inclusive', { until: 20 }, 'ab'],
        ['from and until', { from: 20, until: 30 }, 'bc'],
        ['a session', { session: 's1' }, 'ad'],
        ['a user', { user: 'u1' }, 'bd'],
        ['an agent', { agent: 'g1' }, 'c'],
        ['a session and a user', { session: 's1', user: 'u1' }, 'd'],
        ['valid before it began', { validAt: 4 }, 'bd'],
        ['valid from its first moment', { validAt: 5 }, 'abcd'],
        ['valid just before its end', { validAt: 49 }, 'abcd'],
        ['no longer valid at its end', { validAt: 50 }, 'ad'],
        [
          'all at once',
          {
            ...tags(['x'], 'any', 'exact'),
            types: ['Decision'],
            from: 1,
            until: 10,
            session: 's1',
            validAt: 6,
          },
          'a',
        ],
        ['nobody', { session: "s1' OR 1=1 --" }, ''],
      ])('hold: %s', async (_, filter, expected) => {
        expect((await idsFor({ filter })).sort().join('')).toBe(expected);
      });

      it('hold for text and vectors alike', async () => {
        await hold(
          { id: 'e', revision: 5, text: 'tea', vector: towards(DIMENSIONS, 1), tags: ['in'] },
          { id: 'f', revision: 6, text: 'tea', vector: towards(DIMENSIONS, 1), tags: ['out'] },
        );
        const filter = tags(['in'], 'any', 'exact');
        expect(await idsFor({ filter, text: 'tea' })).toEqual(['e']);
        expect(await idsFor({ filter, vector: towards(DIMENSIONS, 1) })).toEqual(['e']);
        expect(await idsFor({ filter, text: 'tea', vector: towards(DIMENSIONS, 1) })).toEqual(['e']);
      });
    });

    describe('walls', () => {
      it('keeps workspaces apart, where they use the same id too', async () => {
        const sibling = newWorkspace();
        await applyItems(space, ledger, [
          point(workspace, { id: 'a', revision: 1, text: 'tea', vector: towards(DIMENSIONS, 1) }),
          point(sibling, { id: 'a', revision: 2, text: 'coffee', vector: towards(DIMENSIONS, 0, 1) }),
          point(sibling, { id: 'b', revision: 3, text: 'tea', vector: towards(DIMENSIONS, 1) }),
        ]);
        expect(await idsFor({ text: 'tea coffee', vector: towards(DIMENSIONS, 1) })).toEqual(['a']);
        expect(await idsFor({})).toEqual(['a']);
        expect(await idsFor({ text: 'coffee' })).toEqual([]);
        await applyItems(space, ledger, [{ workspace: sibling, id: 'a', revision: 4, gone: true }]);
        expect(await idsFor({ text: 'tea' })).toEqual(['a']);
        const listed = await space.list();
        expect(listed).toHaveLength(2);
        expect(listed).toEqual(
          expect.arrayContaining([
            expect.objectContaining({ workspace, id: 'a', revision: 1 }),
            expect.objectContaining({ workspace: sibling, id: 'b', revision: 3 }),
          ]),
        );
        expect(await space.count()).toBe(2);
      });

      it("is not touched by a sibling workspace's words: scores are the same without it", async () => {
        await hold({ revision: 1, text: 'tea and samovar' }, { revision: 2, text: 'tea' });
        const before = await space.search(question(workspace, { text: 'tea samovar' }));
        const sibling = newWorkspace();
        await applyItems(
          space,
          ledger,
          Array.from({ length: 9 }, (_, at) => point(sibling, { revision: at + 3, text: 'samovar' })),
        );
        expect(
          (await space.search(question(workspace, { text: 'tea samovar' }))).map(({ id }) => id),
        ).toEqual(before.map(({ id }) => id));
      });

      it('keeps tenants apart', async () => {
        const other = newAddress();
        const theirs = made.engine.open(other, MODEL);
        await hold({ revision: 1, text: 'tea', vector: towards(DIMENSIONS, 1) });
        expect(await theirs.watermark()).toEqual(EMPTY);
        expect(
          await theirs.search(question(workspace, { text: 'tea', vector: towards(DIMENSIONS, 1) })),
        ).toEqual([]);
        await applyItems(theirs, ledgerOf(other), [
          point(workspace, { id: 'theirs', revision: 1, text: 'tea' }),
        ]);
        expect(await idsFor({ text: 'tea' })).toEqual(['m1']);
        await made.engine.drop(other);
        expect(await idsFor({ text: 'tea' })).toEqual(['m1']);
      });

      if (abilities.modelsSideBySide) {
        it('keeps two models side by side, each with its own watermark', async () => {
          const wider = { name: 'contract-wider', dimensions: 12 };
          const beside = made.engine.open(address, wider);
          await hold({ revision: 1, vector: towards(DIMENSIONS, 1) });
          expect(await beside.watermark()).toEqual(EMPTY);
          await applyItems(
            beside,
            ledger,
            [point(workspace, { id: 'w', revision: 1, vector: towards(12, 1) })],
            7,
          );
          expect(await space.watermark()).toEqual({ ledger, revision: 1 });
          expect(await beside.watermark()).toEqual({ ledger, revision: 7 });
          expect(await idsFor({ vector: towards(DIMENSIONS, 1) })).toEqual(['m1']);
          expect(
            (await beside.search(question(workspace, { vector: towards(12, 1) }))).map(({ id }) => id),
          ).toEqual(['w']);
          await space.drop();
          expect(await space.watermark()).toEqual(EMPTY);
          expect(await beside.count()).toBe(1);
          expect(await beside.watermark()).toEqual({ ledger, revision: 7 });
        });
      }
    });

    describe('the engine', () => {
      it('answers', async () => {
        await made.engine.ping();
        expect(made.engine.kind).toMatch(/^[a-z]+$/);
      });

      it('drops all that it keeps for a tenant, whatever the model, and again without error', async () => {
        await hold({ revision: 1, text: 'tea', vector: towards(DIMENSIONS, 1) });
        const beside = made.engine.open(address, { name: 'contract-wider', dimensions: 12 });
        await applyItems(beside, ledger, [point(workspace, { revision: 1 })]);
        expect(await made.holds(address)).toBe(true);
        const size = await made.engine.size(address);
        expect(size === null || size > 0).toBe(true);
        await made.engine.drop(address);
        expect(await made.holds(address)).toBe(false);
        expect([0, null]).toContain(await made.engine.size(address));
        expect(await space.watermark()).toEqual(EMPTY);
        expect(await beside.watermark()).toEqual(EMPTY);
        await made.engine.drop(address);
      });
    });

    it('ends up as the ledger says, whatever is replayed, raced or lost on the way', async () => {
      await fc.assert(
        fc.asyncProperty(steps, async (course) => {
          const address = newAddress();
          const space = made.engine.open(address, MODEL);
          const ledger = ledgerOf(address);
          const changes = new Map<string, VectorItem>();
          let revision = 0;
          for (const step of course) {
            for (const { id, sibling, gone, word } of step.edits) {
              const ws = sibling ? SIBLINGS[1] : SIBLINGS[0];
              const at = ++revision;
              changes.set(
                `${ws} ${id}`,
                gone
                  ? { workspace: ws, id: `m${id}`, revision: at, gone: true }
                  : point(ws, {
                      id: `m${id}`,
                      revision: at,
                      text: `word${word}`,
                      vector: towards(DIMENSIONS, 1, word),
                    }),
              );
            }
            if (step.loss === 'store') await made.engine.drop(address);
            // The newest revisions only once; what catchUp reads again after a loss is the whole ledger.
            const from = await space.watermark();
            const items = [...changes.values()].sort((a, b) => a.revision - b.revision);
            const after = step.loss === 'replay' ? 0 : from.revision;
            const batch = {
              ledger,
              from,
              to: revision,
              items: items.filter((item) => item.revision > after),
            };
            expect(await space.apply(batch)).toBe('applied');
            if (step.loss === 'race')
              expect(await space.apply({ ...batch, from: { ledger, revision: -1 } })).toBe('moved');
          }
          const expected = [...changes.values()].flatMap((item) => (item.gone ? [] : [item]));
          const listed = await space.list();
          expect(listed.map(identity).sort()).toEqual(expected.map(identity).sort());
          for (const ws of SIBLINGS) {
            for (let word = 0; word < 4; word++) {
              const found = await space.search({ ...question(ws), terms: [`word${word}`] });
              const wanted = expected.filter(
                (item) => item.workspace === ws && item.alone.terms[0] === `word${word}`,
              );
              expect(found.map(({ id }) => id).sort()).toEqual(wanted.map(({ id }) => id).sort());
            }
          }
          await made.engine.drop(address);
        }),
        { numRuns: 25 },
      );
    });
  });
}

const ANY_NUMBER: unknown = expect.any(Number);

function about(value: number): unknown {
  return expect.closeTo(value, 4);
}

const SIBLINGS = [newWorkspace(), newWorkspace()] as const;

const steps = fc.array(
  fc.record({
    edits: fc.array(
      fc.record({ id: fc.nat(6), sibling: fc.boolean(), gone: fc.boolean(), word: fc.nat(3) }),
      { maxLength: 8 },
    ),
    loss: fc.constantFrom('none', 'none', 'replay', 'race', 'store'),
  }),
  { minLength: 1, maxLength: 8 },
);

function identity({
  workspace,
  id,
  revision,
}: {
  workspace: WorkspaceId;
  id: string;
  revision: number;
}): string {
  return `${workspace} ${id} ${revision}`;
}
