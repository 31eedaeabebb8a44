import fc from 'fast-check';
import type {
  GraphEngine,
  GraphItem,
  GraphSpace,
  MemoryNode,
  SharersQuery,
} from '../../src/spaces/graph-space.js';
import type { LedgerId, SpaceAddress } from '../../src/spaces/projection.js';
import type { WorkspaceId } from '../../src/tenancy/tenant.js';
import { ledgerOf, newAddress, newWorkspace, type EngineUnderTest } from './engine-under-test.js';
import { edge, node } from './graph-space.contract.js';
import { applyItems } from './projection.contract.js';

const CROWD = 5_000;

/** What a graph space promises of entities, and of the memories that name them. */
export function graphEntitiesContract(
  name: string,
  makeEngine: () => Promise<EngineUnderTest<GraphEngine>>,
): void {
  describe(`entities in a graph space: ${name}`, () => {
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

    /** `a:xy` is a memory that names x and y. */
    const memories = (words: string): MemoryNode[] =>
      words.split(' ').map((word) => {
        const [id = '', entities = ''] = word.split(':');
        return node(workspace, id, ++revision, [...entities]);
      });
    const gone = (id: string): GraphItem => ({
      kind: 'memory',
      workspace,
      id,
      revision: ++revision,
      gone: true,
    });
    const hold = (...items: GraphItem[]): Promise<unknown> => applyItems(space, ledger, items);
    const sharing = async (of: string, more: Partial<SharersQuery> = {}): Promise<string> =>
      (await space.sharersOf({ workspace, of: [...of], each: 10, most: 10, ...more }))
        .map(({ of, far, entity }) => `${of}>${far}:${entity}`)
        .join(' ');
    const counted = async (): Promise<string> => {
      const { nodes, entities, mentions } = await space.count();
      return `${nodes} memories, ${entities} entities, ${mentions} mentions`;
    };

    it('share nothing in a graph that is not there, and make none', async () => {
      expect(await sharing('ab')).toBe('');
      expect(await made.holds(address)).toBe(false);
    });

    it('lead from each memory to those that name the same, by what the fewest name', async () => {
      await hold(...memories('a:xyz b:x c:y d:xy e:z f:z g:z h'));
      // x is named by 3, y by 3, z by 4.
      expect(await sharing('a')).toBe('a>d:x a>b:x a>c:y a>e:z a>f:z a>g:z');
      expect((await space.sharersOf({ workspace, of: ['a'], each: 1, most: 10 }))[0]).toEqual({
        of: 'a',
        far: 'd',
        entity: 'x',
        mentions: 3,
        shared: 2,
      });
      expect(await sharing('hb')).toBe('b>a:x b>d:x');
    });

    it('come in the order asked for, no more than asked for of each, once for one named twice', async () => {
      await hold(...memories('a:x b:x c:x'));
      expect(await sharing('cab', { each: 1 })).toBe('c>a:x a>b:x b>a:x');
      expect(await sharing('bb?', { each: 2 })).toBe('b>a:x b>c:x');
    });

    it('say nothing where too many name them', async () => {
      await hold(...memories('a:xy b:x c:x d:y'));
      expect(await sharing('a', { most: 2 })).toBe('a>d:y');
      expect(await space.sharersOf({ workspace, of: ['a'], each: 5, most: 3 })).toMatchObject([
        { far: 'd', shared: 1 },
        { far: 'b', shared: 1 },
        { far: 'c', shared: 1 },
      ]);
    });

    it('are those of the newest revision', async () => {
      await hold(...memories('a:xy b:x c:y d:z'));
      await hold(...memories('a:yz'));
      expect(await sharing('a')).toBe('a>c:y a>d:z');
      expect(await sharing('b')).toBe('');
      expect(await counted()).toBe('4 memories, 3 entities, 5 mentions');
    });

    it('are not those of an older one', async () => {
      await hold(...memories('b:xy'));
      const older = memories('a:x');
      await hold(...memories('a:y'));
      await hold(...older);
      expect(await sharing('b')).toBe('b>a:y');
      await hold(gone('a'));
      await hold(...older);
      expect(await sharing('b')).toBe('');
      expect(await counted()).toBe('1 memories, 2 entities, 2 mentions');
    });

    it('are the last ones of a memory that comes twice in one batch', async () => {
      await hold(...memories('a:xy b:x c:z'), ...memories('a:z'), ...memories('d:y'), gone('d'));
      expect(await sharing('a')).toBe('a>c:z');
      expect(await counted()).toBe('3 memories, 2 entities, 3 mentions');
    });

    it('are there while a memory names them, and no longer', async () => {
      await hold(...memories('a:xy b:x'));
      expect(await counted()).toBe('2 memories, 2 entities, 3 mentions');
      await hold(...memories('a:x'));
      expect(await counted()).toBe('2 memories, 1 entities, 2 mentions');
      await hold(gone('a'));
      expect(await counted()).toBe('1 memories, 1 entities, 1 mentions');
      await hold(...memories('b'));
      expect(await counted()).toBe('1 memories, 0 entities, 0 mentions');
      await hold(...memories('b:xy a:x'));
      expect(await sharing('a')).toBe('a>b:x');
      await hold(gone('a'), gone('b'));
      expect(await counted()).toBe('0 memories, 0 entities, 0 mentions');
    });

    it('pass from one memory to another in one batch', async () => {
      await hold(...memories('a:x b'));
      await hold(...memories('a b:x'));
      expect(await counted()).toBe('2 memories, 1 entities, 1 mentions');
      await hold(...memories('a:x b:y'));
      expect(await counted()).toBe('2 memories, 2 entities, 2 mentions');
    });

    it('are the same after a replay, also where a memory names one twice', async () => {
      const items = [node(workspace, 'a', 1, ['x', 'x', 'y']), node(workspace, 'b', 2, ['y'])];
      await hold(...items);
      await hold(...items);
      expect(await counted()).toBe('2 memories, 2 entities, 3 mentions');
      expect(await sharing('b')).toBe('b>a:y');
    });

    it('are never taken for memories, nor their mentions for relations', async () => {
      await hold(
        ...memories('a:xb b:x c'),
        edge(workspace, {
          id: 'r',
          from: 'a',
          to: 'c',
          type: 'RELATES_TO',
          strength: 1,
          revision: ++revision,
        }),
      );
      expect(await space.count()).toMatchObject({ nodes: 3, relationships: 1 });
      expect((await space.list()).map(({ kind, id }) => `${kind} ${id}`).sort()).toEqual([
        'memory a',
        'memory b',
        'memory c',
        'relation r',
      ]);
      const of = ['a', 'b', 'c', 'x'];
      const reached = await space.related({ workspace, from: of, depth: 3, limit: 50 });
      expect(reached).toEqual([]);
      expect(await space.related({ workspace, from: ['a'], depth: 3, limit: 50 })).toMatchObject([
        { id: 'c' },
      ]);
      expect((await space.linksOf({ workspace, of, each: 9 })).map(({ far }) => far)).toEqual(['c', 'a']);
      expect(await space.path({ workspace, from: 'a', to: 'b', depth: 6, most: 100 })).toEqual({
        links: null,
        complete: true,
      });
    });

    it('keep workspaces apart, and tenants', async () => {
      const sibling = newWorkspace();
      const other = newAddress();
      await hold(
        ...memories('a:x'),
        node(sibling, 'a', ++revision, ['x']),
        node(sibling, 'b', ++revision, ['x']),
      );
      expect(await sharing('a')).toBe('');
      expect(await sharing('a', { workspace: sibling })).toBe('a>b:x');
      expect(await counted()).toBe('3 memories, 2 entities, 3 mentions');
      const theirs = made.engine.open(other);
      await applyItems(theirs, ledgerOf(other), [
        node(workspace, 'a', 1, ['x']),
        node(workspace, 'c', 2, ['x']),
      ]);
      expect(await sharing('a')).toBe('');
      await made.engine.drop(other);
    });

    it("go with another ledger's memories", async () => {
      await hold(...memories('a:x b:xy'));
      const from = await space.watermark();
      const items = [node(workspace, 'c', 1, ['x'])];
      await space.apply({ ledger: ledgerOf(address, 2), from, to: 1, items });
      expect(await counted()).toBe('1 memories, 1 entities, 1 mentions');
      expect(await sharing('c')).toBe('');
    });

    it('may be named by anything', async () => {
      const odd = `'}) DETACH DELETE n //"\`%s/..\u2028`;
      await hold(node(workspace, 'a', ++revision, [odd]), node(workspace, odd, ++revision, [odd]));
      expect(await space.sharersOf({ workspace, of: [odd], each: 5, most: 5 })).toMatchObject([
        { of: odd, far: 'a', entity: odd, mentions: 2, shared: 1 },
      ]);
    });

    it(`are passed over where ${CROWD} memories name one, and forgotten with the last of them`, async () => {
      const crowd = Array.from({ length: CROWD }, (_, at) =>
        node(workspace, `m${at}`, ++revision, at < 2 ? ['all', 'few'] : ['all']),
      );
      await hold(...crowd);
      const found = await space.sharersOf({
        workspace,
        of: crowd.slice(0, 50).map(({ id }) => id),
        each: 5,
        most: 200,
      });
      expect(found.map(({ of, far }) => `${of}>${far}`)).toEqual(['m0>m1', 'm1>m0']);
      await hold(...crowd.map(({ id }) => gone(id)));
      expect(await counted()).toBe('0 memories, 0 entities, 0 mentions');
    });

    it('are shared on any graph as a plain comparison finds it, through any order of changes', async () => {
      await fc.assert(
        fc.asyncProperty(histories, fc.integer({ min: 1, max: 6 }), async (batches, most) => {
          const address = newAddress();
          const space = made.engine.open(address);
          const named = new Map<string, Set<string>>();
          let revision = 0;
          for (const batch of batches) {
            const items = batch.map(({ id, entities }): GraphItem => {
              if (entities === null) named.delete(id);
              else named.set(id, new Set(entities));
              return entities === null
                ? { kind: 'memory', workspace, id, revision: ++revision, gone: true }
                : node(workspace, id, ++revision, entities);
            });
            await applyItems(space, ledgerOf(address), items);
          }
          const of = [...'abcdef'];
          const found = await space.sharersOf({ workspace, of, each: 3, most });
          expect(found.map(told)).toEqual(of.flatMap((id) => plainSharers(named, id, most).slice(0, 3)));
          expect(await space.count()).toMatchObject({
            nodes: named.size,
            entities: new Set([...named.values()].flatMap((all) => [...all])).size,
            mentions: [...named.values()].reduce((sum, all) => sum + all.size, 0),
          });
          await made.engine.drop(address);
        }),
        { numRuns: 40 },
      );
    });
  });
}

const histories = fc.array(
  fc.array(
    fc.record({
      id: fc.constantFrom(...'abcdef'),
      entities: fc.option(fc.array(fc.constantFrom(...'uvwxyz'), { maxLength: 4 }), { freq: 5 }),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  { minLength: 1, maxLength: 4 },
);

function told({
  of,
  far,
  entity,
  mentions,
  shared,
}: Awaited<ReturnType<GraphSpace['sharersOf']>>[number]): string {
  return `${of}>${far} by ${entity} of ${mentions}, ${shared}`;
}

/** The same, told as simply as can be. */
function plainSharers(named: ReadonlyMap<string, ReadonlySet<string>>, of: string, most: number): string[] {
  const mentions = (entity: string): number => [...named.values()].filter((all) => all.has(entity)).length;
  return [...named]
    .flatMap(([far, theirs]) => {
      const both = [...(named.get(of) ?? [])].filter((one) => theirs.has(one) && mentions(one) <= most);
      const [entity] = both.sort((a, b) => mentions(a) - mentions(b) || (a < b ? -1 : 1));
      return far === of || entity === undefined
        ? []
        : [{ of, far, entity, mentions: mentions(entity), shared: both.length }];
    })
    .sort((a, b) => a.mentions - b.mentions || b.shared - a.shared || (a.far < b.far ? -1 : 1))
    .map(told);
}
