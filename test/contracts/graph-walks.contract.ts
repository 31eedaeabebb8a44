import fc from 'fast-check';
import type {
  GraphEngine,
  GraphItem,
  GraphSpace,
  LinksQuery,
  PathQuery,
  RelationEdge,
} from '../../src/spaces/graph-space.js';
import type { LedgerId, SpaceAddress } from '../../src/spaces/projection.js';
import type { WorkspaceId } from '../../src/tenancy/tenant.js';
import { ledgerOf, newAddress, newWorkspace, type EngineUnderTest } from './engine-under-test.js';
import { edge, node } from './graph-space.contract.js';
import { applyItems } from './projection.contract.js';

const CROWD = 10_000;

/** What a graph space promises of relations asked for memory by memory, and of the shortest way between two. */
export function graphWalksContract(
  name: string,
  makeEngine: () => Promise<EngineUnderTest<GraphEngine>>,
): void {
  describe(`walks of a graph space: ${name}`, () => {
    let made: EngineUnderTest<GraphEngine>;
    let address: SpaceAddress;
    let ledger: LedgerId;
    let workspace: WorkspaceId;
    let space: GraphSpace;
    let revision: number;

    beforeAll(async () => {
      made = await makeEngine();
    });
    afterAll(() => made.close());
    beforeEach(() => {
      address = newAddress();
      ledger = ledgerOf(address);
      workspace = newWorkspace();
      space = made.engine.open(address);
      revision = 0;
    });
    afterEach(() => made.engine.drop(address));

    const nodes = (ids: string): GraphItem[] => [...ids].map((id) => node(workspace, id, ++revision));
    /** `a-b` is an edge of strength 1; `a-b:0.5:LEADS_TO` says more. Its id is its ends, and its type if it is another. */
    const edges = (words: string): RelationEdge[] =>
      words.split(' ').map((word) => {
        const [ends = '', strength = '1', type = 'RELATES_TO'] = word.split(':');
        const [from = '', to = ''] = ends.split('-');
        const id = `${ends}${type === 'RELATES_TO' ? '' : type}`;
        return edge(workspace, { id, from, to, type, strength: Number(strength), revision: ++revision });
      });
    const hold = (...items: GraphItem[]): Promise<unknown> => applyItems(space, ledger, items);
    const linked = async (of: string, more: Partial<LinksQuery> = {}): Promise<string> =>
      (await space.linksOf({ workspace, of: [...of], each: 10, ...more }))
        .map((link) => `${link.of}>${link.far}`)
        .join(' ');
    const ask = (from: string, to: string, more: Partial<PathQuery> = {}): PathQuery => ({
      workspace,
      from,
      to,
      depth: 6,
      most: 20_000,
      ...more,
    });
    const way = async (ends: string, more: Partial<PathQuery> = {}): Promise<string | null> => {
      const [from = '', to = ''] = ends;
      const { links, complete } = await space.path(ask(from, to, more));
      expect(complete).toBe(true);
      return links?.map(({ id }) => id).join(' ') ?? null;
    };
    /** A memory with relations to very many others. */
    const crowd = (size: number): GraphItem[] => [
      node(workspace, 'hub', ++revision),
      ...Array.from({ length: size }, (_, at) => node(workspace, `leaf-${at}`, ++revision)),
      ...Array.from({ length: size }, (_, at) =>
        edge(workspace, {
          id: `hub-${at}`,
          from: at % 2 === 0 ? 'hub' : `leaf-${at}`,
          to: at % 2 === 0 ? `leaf-${at}` : 'hub',
          type: 'RELATES_TO',
          strength: at === 7 ? 0.9 : 0.5,
          revision: ++revision,
        }),
      ),
    ];

    describe('relations of each of several memories', () => {
      it('are nothing in a graph that is not there, and make none', async () => {
        expect(await linked('ab')).toBe('');
        expect(await way('ab')).toBeNull();
        expect(await made.holds(address)).toBe(false);
      });

      it('come in the order asked for, strongest first, ties by the other memory, each with all it says', async () => {
        await hold(...nodes('abcd'), ...edges('a-d:0.5 a-c:0.5 b-a:0.9:LEADS_TO'));
        expect(await linked('ba')).toBe('b>a a>b a>c a>d');
        expect((await space.linksOf({ workspace, of: ['a'], each: 1 }))[0]).toEqual({
          of: 'a',
          far: 'b',
          relation: { id: 'b-aLEADS_TO', type: 'LEADS_TO', from: 'b', to: 'a', strength: 0.9 },
        });
      });

      it('tell every relation between the same two', async () => {
        await hold(...nodes('ab'), ...edges('a-b:0.5 a-b:0.5:LEADS_TO b-a:0.7'));
        expect(
          (await space.linksOf({ workspace, of: ['a'], each: 10 })).map(({ relation }) => relation.id),
        ).toEqual(['b-a', 'a-b', 'a-bLEADS_TO']);
      });

      it('are no more than asked for of each', async () => {
        await hold(...nodes('abcd'), ...edges('a-b:0.9 a-c:0.8 a-d:0.7 b-c:0.6'));
        expect(await linked('abc', { each: 1 })).toBe('a>b b>a c>a');
        expect(await linked('abc', { each: 2 })).toBe('a>b a>c b>a b>c c>a c>b');
      });

      it('keep to the types and the strength asked for', async () => {
        await hold(...nodes('abcd'), ...edges('a-b:0.9:LEADS_TO a-c:0.5:PART_OF a-d:0.2:LEADS_TO'));
        expect(await linked('a', { types: ['LEADS_TO'] })).toBe('a>b a>d');
        expect(await linked('a', { types: ['LEADS_TO'], each: 1, minStrength: 0.5 })).toBe('a>b');
        expect(await linked('a', { minStrength: 0.5 })).toBe('a>b a>c');
        expect(await linked('a', { types: [] })).toBe('');
      });

      it('lead to no memory that is gone, not yet there, or itself, nor into another workspace', async () => {
        const sibling = newWorkspace();
        await hold(...nodes('abc'), ...edges('a-b a-c a-x a-a'), node(sibling, 'a', ++revision));
        await hold({ kind: 'memory', workspace, id: 'b', revision: ++revision, gone: true });
        expect(await linked('ab')).toBe('a>c');
        expect(await space.linksOf({ workspace: sibling, of: ['a'], each: 5 })).toEqual([]);
      });

      it('are passed over for memories that it does not know, and told once for those named twice', async () => {
        await hold(...nodes('ab'), ...edges('a-b'));
        expect(await linked('xaa')).toBe('a>b');
        expect(await space.linksOf({ workspace, of: [], each: 5 })).toEqual([]);
      });
    });

    describe('the shortest way', () => {
      it('goes in either direction, each relation as it is', async () => {
        await hold(...nodes('abc'), ...edges('b-a:0.5:LEADS_TO b-c:0.25'));
        expect(await space.path(ask('a', 'c'))).toEqual({
          links: [
            { id: 'b-aLEADS_TO', type: 'LEADS_TO', from: 'b', to: 'a', strength: 0.5 },
            { id: 'b-c', type: 'RELATES_TO', from: 'b', to: 'c', strength: 0.25 },
          ],
          complete: true,
        });
        expect(await way('ca')).toBe('b-c b-aLEADS_TO');
      });

      it('is the shortest, however weak, and of those the one by the strongest relation', async () => {
        await hold(...nodes('abcd'), ...edges('a-b b-c c-d a-d:0.01'));
        expect(await way('ad')).toBe('a-d');
        await hold(...edges('a-d:0.5:LEADS_TO'));
        expect(await way('ad')).toBe('a-dLEADS_TO');
        expect(await way('bd', { minStrength: 0.1 })).toBe('b-c c-d');
      });

      it('is no longer than asked for, up to 6', async () => {
        await hold(...nodes('abcdefgh'), ...edges('a-b b-c c-d d-e e-f f-g g-h'));
        expect(await way('ag')).toBe('a-b b-c c-d d-e e-f f-g');
        expect(await way('ag', { depth: 5 })).toBeNull();
        expect(await way('ab', { depth: 1 })).toBe('a-b');
        expect(await way('ah')).toBeNull();
      });

      it('keeps to the types and the strength asked for', async () => {
        await hold(...nodes('abc'), ...edges('a-c:0.2 a-b:0.9:LEADS_TO b-c:0.9:PART_OF'));
        expect(await way('ac')).toBe('a-c');
        expect(await way('ac', { minStrength: 0.5 })).toBe('a-bLEADS_TO b-cPART_OF');
        expect(await way('ac', { types: ['LEADS_TO', 'PART_OF'] })).toBe('a-bLEADS_TO b-cPART_OF');
        expect(await way('ac', { types: ['LEADS_TO'] })).toBeNull();
      });

      it('ends in circles, is nothing from a memory to itself, and leads to none that is not there', async () => {
        await hold(...nodes('abcd'), ...edges('a-b b-c c-a a-a c-x'));
        expect(await way('ad')).toBeNull();
        expect(await way('ax')).toBeNull();
        expect(await way('xa')).toBeNull();
        expect(await way('aa')).toBe('');
      });

      it('leads through no memory that is gone, and into no other workspace', async () => {
        const sibling = newWorkspace();
        await hold(...nodes('abc'), ...edges('a-b b-c'), node(sibling, 'a', ++revision));
        expect(await way('ac')).toBe('a-b b-c');
        expect((await space.path({ ...ask('a', 'c'), workspace: sibling })).links).toBeNull();
        await hold({ kind: 'memory', workspace, id: 'b', revision: ++revision, gone: true });
        expect(await way('ac')).toBeNull();
      });

      it('says where it would have had to look at too many relations, and is looked for from the other end too', async () => {
        await hold(...crowd(20));
        expect(await space.path(ask('hub', 'leaf-7', { most: 10 }))).toMatchObject({
          links: [{ id: 'hub-7' }],
          complete: true,
        });
        expect(await space.path(ask('leaf-3', 'leaf-7', { most: 10 }))).toEqual({
          links: null,
          complete: false,
        });
        expect((await space.path(ask('leaf-3', 'leaf-7', { most: 30 }))).links).toHaveLength(2);
      });

      it('takes ids and types that mean something to a query language as names', async () => {
        const odd = `'}) DETACH DELETE n //"\``;
        await hold(
          node(workspace, odd, ++revision),
          ...nodes('a'),
          edge(workspace, { id: odd, from: 'a', to: odd, type: odd, strength: 1, revision: ++revision }),
        );
        expect((await space.path(ask('a', odd, { types: [odd] }))).links).toHaveLength(1);
        expect(await space.linksOf({ workspace, of: [odd], types: [odd], each: 5 })).toMatchObject([
          { of: odd, far: 'a', relation: { id: odd, type: odd } },
        ]);
      });

      it('is as long on any graph as a plain walk finds it, from link to link', async () => {
        await fc.assert(
          fc.asyncProperty(graphs, async ({ links, to, depth }) => {
            const address = newAddress();
            const space = made.engine.open(address);
            const items = links.map((link, at) =>
              edge(workspace, {
                id: `r${at}`,
                from: letter(link.from),
                to: letter(link.to),
                type: 'RELATES_TO',
                strength: link.strength / 10,
                revision: 100 + at,
              }),
            );
            const all = [...'abcdefgh'].map((id, at) => node(workspace, id, at + 1));
            await applyItems(space, ledgerOf(address), [...all, ...items]);
            const found = await space.path(ask('a', letter(to), { depth }));
            expect(found.complete).toBe(true);
            expect(found.links?.length ?? null).toBe(plainDistance(items, letter(to), depth));
            let at = 'a';
            for (const { from, to: next } of found.links ?? []) {
              expect([from, next]).toContain(at);
              at = at === from ? next : from;
            }
            if (found.links !== null) expect(at).toBe(letter(to));
            await made.engine.drop(address);
          }),
          { numRuns: 40 },
        );
      });
    });

    it(`is not held up by a memory with ${CROWD} relations`, async () => {
      const items = [...crowd(CROWD), node(workspace, 'far', ++revision)];
      for (let at = 0; at < items.length; at += 2_000) await hold(...items.slice(at, at + 2_000));
      await hold(
        edge(workspace, {
          id: 'out',
          from: 'leaf-5',
          to: 'far',
          type: 'PART_OF',
          strength: 0.1,
          revision: ++revision,
        }),
      );
      const started = performance.now();
      expect((await space.related({ workspace, from: ['leaf-1'], depth: 3, limit: 3 }))[1]?.id).toBe(
        'leaf-7',
      );
      expect((await space.linksOf({ workspace, of: ['hub'], each: 3 })).map(({ far }) => far)).toEqual([
        'leaf-7',
        'leaf-0',
        'leaf-1',
      ]);
      const { links } = await space.path(ask('leaf-1', 'far'));
      expect(links?.map(({ id }) => id)).toEqual(['hub-1', 'hub-5', 'out']);
      // Some 0.1 s on an idle machine; the engines give a query up after much less than this.
      expect(performance.now() - started).toBeLessThan(20_000);
    });
  });
}

const graphs = fc.record({
  links: fc.array(fc.record({ from: fc.nat(7), to: fc.nat(7), strength: fc.nat(10) }), { maxLength: 14 }),
  to: fc.integer({ min: 1, max: 7 }),
  depth: fc.integer({ min: 1, max: 6 }),
});

function letter(at: number): string {
  return String.fromCharCode(97 + at);
}

function plainDistance(links: RelationEdge[], to: string, depth: number): number | null {
  let reached = new Set(['a']);
  for (let at = 1; at <= depth; at++) {
    const next = links.flatMap(({ from, to }) => [
      ...(reached.has(from) ? [to] : []),
      ...(reached.has(to) ? [from] : []),
    ]);
    reached = new Set([...reached, ...next]);
    if (reached.has(to)) return at;
  }
  return null;
}
