import fc from 'fast-check';
import type {
  GraphEngine,
  GraphItem,
  GraphSpace,
  MemoryNode,
  RelatedQuery,
  RelationEdge,
} from '../../src/spaces/graph-space.js';
import type { LedgerId, SpaceAddress } from '../../src/spaces/projection.js';
import { sameDigest } from '../../src/spaces/digest.js';
import type { WorkspaceId } from '../../src/tenancy/tenant.js';
import { ledgerOf, newAddress, newWorkspace, type EngineUnderTest } from './engine-under-test.js';
import { applyItems, EMPTY, projectionContract } from './projection.contract.js';

/** What of a relation is made another behind the engine's back. */
export const SPOILT_EDGE = ['strength', 'type', 'end'] as const;
export type SpoiltEdge = (typeof SPOILT_EDGE)[number];
/** What of a memory's mentions is made another: one is gone; one that it has not, of `people:x`, is there. */
export const SPOILT_MENTION = ['missing', 'surplus'] as const;
export type SpoiltMention = (typeof SPOILT_MENTION)[number];

export interface GraphEngineUnderTest extends EngineUnderTest<GraphEngine> {
  /** Changes so much and no more of the relation with this id, in the store itself. `end`: it leads to `c` from now on. */
  spoil(address: SpaceAddress, workspace: WorkspaceId, id: string, what: SpoiltEdge): Promise<void>;
  /** The same of a memory. `people:x` is mentioned by another one. */
  spoilMention(address: SpaceAddress, workspace: WorkspaceId, id: string, what: SpoiltMention): Promise<void>;
}

/** Everything that a graph space promises. One line for each adapter. */
export function graphSpaceContract(
  name: string,
  makeEngine: () => Promise<GraphEngineUnderTest>,
  abilities: { /** Strengths come back as they were, to the last bit. */ exactStrengths: boolean },
): void {
  describe(`graph space: ${name}`, () => {
    let made: GraphEngineUnderTest;
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
    /** `a-b` is an edge of strength 1; `a-b:0.5:LEADS_TO` says more. Its id is its ends. */
    const edges = (words: string): RelationEdge[] =>
      words.split(' ').map((word) => {
        const [ends = '', strength = '1', type = 'RELATES_TO'] = word.split(':');
        const [from = '', to = ''] = ends.split('-');
        return edge(workspace, {
          id: `${ends}${type === 'RELATES_TO' ? '' : type}`,
          from,
          to,
          type,
          strength: Number(strength),
          revision: ++revision,
        });
      });
    const hold = (...items: GraphItem[]): Promise<unknown> => applyItems(space, ledger, items);
    const ask = (from: string, more: Partial<RelatedQuery> = {}): RelatedQuery => ({
      workspace,
      from: [...from],
      depth: 1,
      limit: 50,
      ...more,
    });
    const reached = async (from: string, more: Partial<RelatedQuery> = {}): Promise<string> =>
      (await space.related(ask(from, more))).map(({ id, depth }) => `${id}${depth}`).join(' ');

    describe('listing what it holds', () => {
      const wrong = async (all: GraphItem[]): Promise<string[]> => {
        const items = all.filter((item) => !item.gone);
        const held = new Map((await space.list()).map((item) => [`${item.kind} ${item.id}`, item.digest]));
        expect(held.size).toBe(items.length);
        return items
          .filter((item) => {
            const digest = held.get(`${item.kind} ${item.id}`);
            return digest === undefined || !sameDigest(digest, space.digestOf(item));
          })
          .map(({ id }) => id);
      };

      it('shows of each item the digest that it should have', async () => {
        const items = [
          ...[...'abc'].map((id) => node(workspace, id, ++revision)),
          node(workspace, 'd', ++revision, ['tools:x', 'people:x']),
          node(workspace, 'e', ++revision, ['people:x']),
          ...edges('a-b a-c:0.5 b-c:0.1:LEADS_TO c-a:0.30000000000000004 b-a:0.123456789012345678 c-b:1e-9'),
        ];
        await hold(...items);
        expect(await wrong(items)).toEqual([]);
      });

      it.each(SPOILT_EDGE)(
        'shows another digest where the %s of a relation was changed in the store',
        async (what) => {
          const items = [
            ...[...'abc'].map((id) => node(workspace, id, ++revision)),
            ...edges('a-b:0.5 b-c:0.5'),
          ];
          await hold(...items);
          expect(await wrong(items)).toEqual([]);
          await made.spoil(address, workspace, 'a-b', what);
          expect(await wrong(items)).toEqual(['a-b']);
        },
      );

      it.each(SPOILT_MENTION)(
        'shows another digest where a mention of a memory was %s in the store',
        async (what) => {
          const items = [
            node(workspace, 'a', ++revision, ['people:x']),
            node(workspace, 'b', ++revision, what === 'missing' ? ['people:x', 'people:y'] : ['people:y']),
          ];
          await hold(...items);
          expect(await wrong(items)).toEqual([]);
          await made.spoilMention(address, workspace, 'b', what);
          expect(await wrong(items)).toEqual(['b']);
        },
      );
    });

    describe.each(['memory', 'relation'] as const)('as a projection of each %s', (kind) => {
      projectionContract<GraphItem>(() => ({
        projection: space,
        ledger,
        otherLedger: ledgerOf(address, 2),
        item: (id, at) =>
          kind === 'memory'
            ? node(workspace, String(id), at)
            : edge(workspace, {
                id: String(id),
                from: 'x',
                to: 'y',
                type: 'RELATES_TO',
                strength: 1,
                revision: at,
              }),
        tombstone: (id, at) => ({ kind, workspace, id: String(id), revision: at, gone: true }),
        held: async () =>
          (await space.list())
            .filter((item) => item.kind === kind)
            .map((item) => ({ id: Number(item.id), revision: item.revision }))
            .sort((a, b) => a.id - b.id),
        exists: () => made.holds(address),
      }));
    });

    it('relates nothing in a graph that is not there, and makes none', async () => {
      expect(await space.related(ask('a'))).toEqual([]);
      expect(await space.count()).toMatchObject({ nodes: 0, relationships: 0 });
      expect(await made.holds(address)).toBe(false);
    });

    it('follows a relation in either direction, and says which it was', async () => {
      await hold(...nodes('abc'), ...edges('a-b:0.5:LEADS_TO c-a:0.25'));
      expect(await space.related(ask('a'))).toEqual([
        {
          id: 'b',
          depth: 1,
          start: 'a',
          relation: { id: 'a-bLEADS_TO', type: 'LEADS_TO', from: 'a', to: 'b', strength: 0.5 },
        },
        {
          id: 'c',
          depth: 1,
          start: 'a',
          relation: { id: 'c-a', type: 'RELATES_TO', from: 'c', to: 'a', strength: 0.25 },
        },
      ]);
    });

    it('puts nearer first, then stronger, ties by id', async () => {
      await hold(...nodes('abcdef'), ...edges('a-d:0.5 a-c:0.5 a-b:0.9 b-e:1 c-f:0.1'));
      expect(await reached('a', { depth: 2 })).toBe('b1 c1 d1 e2 f2');
    });

    it('goes no deeper than asked, up to 3', async () => {
      await hold(...nodes('abcde'), ...edges('a-b c-b c-d d-e'));
      expect(await reached('a', { depth: 1 })).toBe('b1');
      expect(await reached('a', { depth: 2 })).toBe('b1 c2');
      expect(await reached('a', { depth: 3 })).toBe('b1 c2 d3');
    });

    it('ends in circles and loops, giving each memory once and never a start', async () => {
      await hold(...nodes('abc'), ...edges('a-b b-c c-a a-a b-a'));
      expect(await reached('a', { depth: 3 })).toBe('b1 c1');
      expect(await reached('ab', { depth: 3 })).toBe('c1');
      expect(await reached('abc', { depth: 3 })).toBe('');
    });

    it('reaches a memory by its shortest way, and by the strongest relation of those', async () => {
      await hold(...nodes('abcd'), ...edges('a-b:0.9 b-d:0.4 a-c:0.1 c-d:0.8 a-d:0.05:CONTRADICTS'));
      expect((await space.related(ask('a', { depth: 2 }))).find(({ id }) => id === 'd')).toMatchObject({
        depth: 1,
      });
      const [found] = (await space.related(ask('a', { depth: 2, types: ['RELATES_TO'] }))).filter(
        ({ id }) => id === 'd',
      );
      expect(found).toMatchObject({ depth: 2, relation: { id: 'c-d', strength: 0.8 } });
    });

    it('names the start from which each was reached', async () => {
      await hold(...nodes('abcd'), ...edges('a-c b-d:0.5'));
      expect((await space.related(ask('ab'))).map(({ id, start }) => `${start}>${id}`)).toEqual([
        'a>c',
        'b>d',
      ]);
    });

    it('keeps to the types and the strength asked for', async () => {
      await hold(...nodes('abcd'), ...edges('a-b:0.9:LEADS_TO a-c:0.5:PREFERS a-d:0.2:LEADS_TO'));
      expect(await reached('a', { types: ['LEADS_TO'] })).toBe('b1 d1');
      expect(await reached('a', { types: ['LEADS_TO', 'PREFERS'], minStrength: 0.5 })).toBe('b1 c1');
      expect(await reached('a', { types: ['NONE'] })).toBe('');
    });

    it('gives no more than the limit, the first ones', async () => {
      await hold(...nodes('abcdef'), ...edges('a-b:0.1 a-c:0.2 a-d:0.3 a-e:0.4 e-f:1'));
      expect(await reached('a', { depth: 2, limit: 2 })).toBe('e1 d1');
      expect(await reached('a', { depth: 2, limit: 5 })).toBe('e1 d1 c1 b1 f2');
    });

    it('passes over starts that it does not know', async () => {
      await hold(...nodes('ab'), ...edges('a-b x-b'));
      expect(await reached('xa')).toBe('b1');
      expect(await reached('x')).toBe('');
      expect(await space.related(ask(''))).toEqual([]);
    });

    it('follows an edge only once both its ends are there', async () => {
      await hold(...edges('a-b b-c'));
      expect(await space.count()).toMatchObject({ nodes: 0, relationships: 0 });
      await hold(...nodes('ac'));
      expect(await reached('a', { depth: 2 })).toBe('');
      await hold(...nodes('b'));
      expect(await reached('a', { depth: 2 })).toBe('b1 c2');
      expect(await space.count()).toMatchObject({ nodes: 3, relationships: 2 });
    });

    it('follows no edge through a memory that is gone, and again once it is back', async () => {
      await hold(...nodes('abc'), ...edges('a-b b-c'));
      await hold({ kind: 'memory', workspace, id: 'b', revision: ++revision, gone: true });
      expect(await reached('a', { depth: 3 })).toBe('');
      expect(await space.count()).toMatchObject({ nodes: 2, relationships: 0 });
      await hold(...nodes('b'));
      expect(await reached('a', { depth: 3 })).toBe('b1 c2');
    });

    it('gives up an edge that is gone, and takes a changed one as it is now', async () => {
      await hold(...nodes('abc'), ...edges('a-b a-c'));
      await hold({ kind: 'relation', workspace, id: 'a-b', revision: ++revision, gone: true });
      await hold(
        edge(workspace, {
          id: 'a-c',
          from: 'b',
          to: 'c',
          type: 'LEADS_TO',
          strength: 0.5,
          revision: ++revision,
        }),
      );
      expect(await reached('a')).toBe('');
      expect(await reached('c')).toBe('b1');
    });

    it('keeps a memory and a relation of the same id apart', async () => {
      await hold(
        ...nodes('ab'),
        edge(workspace, {
          id: 'a',
          from: 'a',
          to: 'b',
          type: 'RELATES_TO',
          strength: 1,
          revision: ++revision,
        }),
      );
      await hold({ kind: 'relation', workspace, id: 'a', revision: ++revision, gone: true });
      expect(await space.count()).toMatchObject({ nodes: 2, relationships: 0 });
    });

    it('keeps workspaces apart, where they use the same ids too', async () => {
      const sibling = newWorkspace();
      await hold(
        ...nodes('ab'),
        ...edges('a-b'),
        node(sibling, 'a', ++revision),
        node(sibling, 'c', ++revision),
      );
      await hold(
        edge(sibling, {
          id: 'a-b',
          from: 'a',
          to: 'c',
          type: 'RELATES_TO',
          strength: 1,
          revision: ++revision,
        }),
      );
      expect(await reached('a')).toBe('b1');
      expect((await space.related({ ...ask('a'), workspace: sibling })).map(({ id }) => id)).toEqual(['c']);
      expect(await space.related({ ...ask('a'), workspace: newWorkspace() })).toEqual([]);
    });

    it('keeps tenants apart', async () => {
      const other = newAddress();
      await hold(...nodes('ab'), ...edges('a-b'));
      const theirs = made.engine.open(other);
      expect(await theirs.watermark()).toEqual(EMPTY);
      expect(await theirs.related(ask('a'))).toEqual([]);
      await applyItems(theirs, ledgerOf(other), [node(workspace, 'a', 1)]);
      expect(await theirs.related(ask('a'))).toEqual([]);
      await made.engine.drop(other);
      expect(await reached('a')).toBe('b1');
    });

    it('takes names that mean something to a query language as names', async () => {
      const odd = `'; MATCH (n) DELETE n //"\``;
      await hold(
        node(workspace, odd, ++revision),
        ...nodes('a'),
        edge(workspace, { id: odd, from: 'a', to: odd, type: odd, strength: 1, revision: ++revision }),
      );
      expect((await space.related(ask('a', { types: [odd] })))[0]).toMatchObject({
        id: odd,
        relation: { type: odd },
      });
      expect(await space.count()).toMatchObject({ nodes: 2, relationships: 1 });
    });

    it('gives any name back as it was', async () => {
      await fc.assert(
        fc.asyncProperty(names, names, names, async (id, other, type) => {
          const address = newAddress();
          const space = made.engine.open(address);
          await applyItems(space, ledgerOf(address), [
            node(workspace, id, 1),
            node(workspace, other, 2),
            edge(workspace, { id: other, from: id, to: other, type, strength: 1, revision: 3 }),
          ]);
          expect((await space.list()).map((held) => `${held.kind} ${held.id}`).sort()).toEqual(
            [...new Set([`memory ${id}`, `memory ${other}`]), `relation ${other}`].sort(),
          );
          const found = await space.related({ workspace, from: [id], types: [type], depth: 1, limit: 5 });
          expect(found.map((one) => [one.id, one.start, one.relation.id, one.relation.type])).toEqual(
            id === other ? [] : [[other, id, other, type]],
          );
          await made.engine.drop(address);
        }),
        { numRuns: 60 },
      );
    });

    it('finds what lies behind a memory to which very many ways lead', async () => {
      const between = Array.from({ length: 120 }, (_, at) => `between-${at}`);
      const types = ['LEADS_TO', 'PREFERS', 'RELATES_TO', 'CONTRADICTS', 'OCCURRED_BEFORE'];
      const link = (from: string, to: string, strength: number, type = 'RELATES_TO'): GraphItem =>
        edge(workspace, { id: `${from}>${to} ${type}`, from, to, type, strength, revision: ++revision });
      const weak = Array.from({ length: 10 }, (_, at) => `weak-${at}`);
      await hold(
        ...['a', 'crowded', ...between, ...weak].map((id) => node(workspace, id, ++revision)),
        ...between.map((id) => link('a', id, 1)),
        ...between.flatMap((id) => types.map((type) => link(id, 'crowded', 0.9, type))),
        ...weak.map((id, at) => link('between-0', id, 0.5 - at / 100)),
      );
      const found = await space.related(ask('a', { depth: 3, limit: 125 }));
      expect(found.slice(120).map(({ id }) => id)).toEqual(['crowded', ...weak.slice(0, 4)]);
      expect(found).toHaveLength(125);
    });

    it('drops all that it keeps for a tenant, and again without error', async () => {
      await hold(...nodes('ab'));
      expect(await made.holds(address)).toBe(true);
      await made.engine.drop(address);
      expect(await made.holds(address)).toBe(false);
      expect(await space.watermark()).toEqual(EMPTY);
      await made.engine.drop(address);
      await made.engine.ping();
    });

    if (abilities.exactStrengths) {
      it('gives strengths back to the last bit', async () => {
        await hold(...nodes('ab'), ...edges('a-b:0.1234567890123456'));
        expect((await space.related(ask('a')))[0]?.relation.strength).toBe(0.1234567890123456);
      });
    }

    it('finds on any graph the memories, depths and order that a plain walk finds', async () => {
      await fc.assert(
        fc.asyncProperty(graphs, async ({ links, missing, from, depth }) => {
          const address = newAddress();
          const space = made.engine.open(address);
          const items: GraphItem[] = 'abcdefgh'
            .split('')
            .flatMap((id, at) => (missing === at ? [] : [node(workspace, id, at + 1)]));
          for (const [at, link] of links.entries()) {
            items.push(
              edge(workspace, {
                id: `r${at}`,
                from: letter(link.from),
                to: letter(link.to),
                type: 'RELATES_TO',
                strength: link.strength / 10,
                revision: 100 + at,
              }),
            );
          }
          await applyItems(space, ledgerOf(address), items);
          const found = await space.related({ workspace, from: [letter(from)], depth, limit: 50 });
          expect(found.map((one) => `${one.id}${one.depth}:${one.relation.strength}`)).toEqual(
            plainWalk(items, letter(from), depth),
          );
          await made.engine.drop(address);
        }),
        { numRuns: 40 },
      );
    });
  });
}

const graphs = fc.record({
  links: fc.array(fc.record({ from: fc.nat(7), to: fc.nat(7), strength: fc.nat(10) }), { maxLength: 20 }),
  missing: fc.nat(10),
  from: fc.nat(7),
  depth: fc.integer({ min: 1, max: 3 }),
});

/** Whatever the ledger lets be a name: anything but NUL and half characters. */
const names = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).filter((text) => !text.includes('\0')),
  fc.constantFrom(
    '"}) DETACH DELETE n //',
    '\\',
    '\\"',
    `\\\\"'\``,
    "' OR 1=1 --",
    '$starts',
    '/',
    '../x',
    'a b\tc\r\nd',
    '\u2028',
    '%s%n',
    '__proto__',
    'CYPHER x=1 MATCH (n) DELETE n',
  ),
);

function letter(at: number): string {
  return String.fromCharCode(97 + at);
}

/** The same, told as simply as can be: level after level over a list. */
function plainWalk(items: GraphItem[], start: string, depth: number): string[] {
  const live = new Set(items.flatMap((item) => (item.kind === 'memory' ? [item.id] : [])));
  const links = items.flatMap((item) => (item.kind === 'relation' && !item.gone ? [item] : []));
  const seen = new Set([start]);
  const found: string[] = [];
  let level = live.has(start) ? [start] : [];
  for (let at = 1; at <= depth; at++) {
    const best = new Map<string, number>();
    for (const { from, to, strength } of links) {
      for (const [near, far] of [
        [from, to],
        [to, from],
      ] as const) {
        if (level.includes(near) && live.has(far) && !seen.has(far))
          best.set(far, Math.max(strength, best.get(far) ?? -1));
      }
    }
    const reached = [...best].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
    for (const [id] of reached) seen.add(id);
    found.push(...reached.map(([id, strength]) => `${id}${at}:${strength}`));
    level = reached.map(([id]) => id);
  }
  return found;
}

export function node(
  workspace: WorkspaceId,
  id: string,
  revision: number,
  entities: string[] = [],
): MemoryNode {
  return {
    kind: 'memory',
    workspace,
    id,
    revision,
    gone: false,
    type: 'Context',
    importance: 0.5,
    timestamp: revision,
    entities,
  };
}

export function edge(
  workspace: WorkspaceId,
  words: Pick<RelationEdge, 'id' | 'from' | 'to' | 'type' | 'strength' | 'revision'>,
): RelationEdge {
  return { kind: 'relation', workspace, gone: false, ...words };
}
