import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { QdrantEngine } from '../../../src/spaces/qdrant/qdrant-engine.js';
import { ItemRefused, SpaceUnavailable } from '../../../src/spaces/space-errors.js';
import type { VectorSpace } from '../../../src/spaces/vector-space.js';
import { ledgerOf, newAddress, newWorkspace } from '../../contracts/engine-under-test.js';
import { point, question, towards } from '../../contracts/points.js';
import { applyItems, EMPTY } from '../../contracts/projection.contract.js';
import { QdrantStandIn } from '../../support/qdrant/stand-in.js';

const MODEL = { name: 'qdrant-space', dimensions: 4 };

describe('a tenant in Qdrant', () => {
  let server: QdrantStandIn;
  let engine: QdrantEngine;
  const address = newAddress();
  const ledger = ledgerOf(address);
  const workspace = newWorkspace();
  let space: VectorSpace;

  const start = async (version: string): Promise<void> => {
    server = await QdrantStandIn.start({ version });
    engine = new QdrantEngine({ url: server.url, apiKey: null });
    space = engine.open(address, MODEL);
  };
  beforeEach(() => start('1.19.0'));
  afterEach(async () => {
    await engine.close();
    await server.close();
  });

  const hold = () =>
    applyItems(space, ledger, [
      point(workspace, { revision: 1, text: 'tea', vector: towards(4, 1), tags: ['user:ann'] }),
      point(workspace, { revision: 2, text: 'samovar', vector: towards(4, 0, 1) }),
    ]);
  const callsDuring = async (work: () => Promise<unknown>): Promise<string[]> => {
    const before = server.calls.length;
    await work();
    return server.calls.slice(before).map(({ method, route }) => `${method} ${route}`);
  };

  it.each<[string, Parameters<typeof question>[1]]>([
    ['hybrid', { text: 'samovar', vector: towards(4, 1), filter: { validAt: 3, excludeTags: ['x'] } }],
    ['by vector', { vector: towards(4, 1) }],
    ['by text', { text: 'samovar' }],
    ['by filter', { filter: { tags: { values: ['user:'], mode: 'any', match: 'prefix' } } }],
  ])('searches with one request: %s', async (_, words) => {
    await hold();
    expect(await callsDuring(() => space.search(question(workspace, words)))).toEqual([
      'POST /collections/{collection_name}/points/query/batch',
    ]);
  });

  it('applies a batch with three requests once the collection is made', async () => {
    await hold();
    const batch = {
      ledger,
      from: { ledger, revision: 2 },
      to: 3,
      items: [point(workspace, { revision: 3, text: 'late' })],
    };
    expect(await callsDuring(() => space.apply(batch))).toEqual([
      'POST /collections/{collection_name}/points',
      'POST /collections/{collection_name}/points/batch',
      'POST /collections/{collection_name}/points',
    ]);
  });

  it('makes the collection small, with every filtered field indexed', async () => {
    await hold();
    const filter = {
      tags: { values: ['user:'], mode: 'all' as const, match: 'prefix' as const },
      excludeTags: ['x'],
      types: ['Context'],
      ...{ from: 1, until: 9, validAt: 5, session: 's', user: 'u', agent: 'g' },
    };
    await space.search(question(workspace, { text: 'tea', filter }));
    await space.count();
    await applyItems(space, ledgerOf(address, 2), []);
    const made = server.collections.get(address.name);
    expect(made?.config).toMatchObject({
      shard_number: 1,
      optimizers_config: { default_segment_number: 1 },
      wal_config: { wal_capacity_mb: 1 },
    });
    expect(made?.indexes.get('workspace')).toMatchObject({ type: 'keyword', is_tenant: true });
    const filtered = new Set<string>();
    JSON.stringify(
      server.calls.map(({ body }) => body),
      (key, value: unknown) => {
        if (key === 'key' && typeof value === 'string') filtered.add(value);
        return value;
      },
    );
    expect(filtered.size).toBe(14);
    expect([...filtered].filter((field) => made?.indexes.has(field) !== true)).toEqual([]);
  });

  it('sends a large batch in several requests', async () => {
    const small = new QdrantEngine({ url: server.url, apiKey: null, requestBytes: 100_000 });
    const items = Array.from({ length: 300 }, (_, at) =>
      point(workspace, { revision: at + 1, text: `tea${at}` }),
    );
    const calls = await callsDuring(() => applyItems(small.open(address, MODEL), ledger, items));
    expect(calls.filter((call) => call.endsWith('/points/batch')).length).toBeGreaterThan(3);
    expect(await space.count()).toBe(300);
    expect(await space.watermark()).toEqual({ ledger, revision: 300 });
    await small.close();
  });

  it('fills every page of a list', async () => {
    const items = Array.from({ length: 2_345 }, (_, at) => point(workspace, { revision: at + 1 }));
    await applyItems(space, ledger, items);
    const listed = await space.list();
    expect(listed.map(({ revision }) => revision).sort((a, b) => a - b)).toEqual(
      items.map(({ revision }) => revision),
    );
  });

  it('counts how rare a word is in its own workspace alone, from 1.19 on', async () => {
    await hold();
    const score = async () => (await space.search(question(workspace, { text: 'tea' })))[0]?.text.alone;
    const before = await score();
    const sibling = newWorkspace();
    const items = Array.from({ length: 20 }, (_, at) => point(sibling, { revision: at + 3, text: 'tea' }));
    await applyItems(space, ledger, items);
    expect(await score()).toBe(before);
    expect(before).toBeGreaterThan(0);
  });

  it('passes over what a former ledger left behind', async () => {
    await hold();
    const points = [...(server.collections.get(address.name)?.points.values() ?? [])];
    const left = points.find(({ payload }) => payload['id'] === 'm2');
    if (left === undefined) throw new Error('nothing was held');
    left.payload = { ...left.payload, era: 'former' };
    const found = await space.search(question(workspace, { text: 'tea samovar', vector: towards(4, 1) }));
    expect(found).toHaveLength(1);
    expect(await space.count()).toBe(1);
    expect(await space.list()).toHaveLength(1);
  });

  it('finishes to clear a former ledger that it could not clear at once', async () => {
    await hold();
    const next = ledgerOf(address, 2);
    let cut = true;
    server.interfere = ({ body }) => {
      const clears = JSON.stringify(body ?? {}).includes('"delete"');
      return clears && cut ? { status: 503 } : null;
    };
    const items = [point(workspace, { revision: 1, text: 'coffee' })];
    await expect(applyItems(space, next, items)).rejects.toThrow(SpaceUnavailable);
    cut = false;
    expect(server.collections.get(address.name)?.points.size).toBe(4);
    await applyItems(space, next, [point(workspace, { revision: 2, text: 'cocoa' })]);
    expect(server.collections.get(address.name)?.points.size).toBe(3);
    expect((await space.list()).map(({ id }) => id).sort()).toEqual(['m1', 'm2']);
  });

  it('takes what was built with other terms for nothing, and builds it again in its place', async () => {
    await hold();
    const points = server.collections.get(address.name)?.points ?? new Map<string, never>();
    // As a version before wrote them: under ids of their own, and the watermark where it is.
    for (const [id, point] of [...points]) {
      point.payload = { ...point.payload, era: 'former' };
      if (!('id' in point.payload)) continue;
      points.delete(id);
      const former = randomUUID();
      points.set(former, { ...point, id: former });
    }
    expect(await space.watermark()).toEqual(EMPTY);
    await hold();
    expect(await space.watermark()).toEqual({ ledger, revision: 2 });
    const found = await space.search(question(workspace, { text: 'tea samovar', vector: towards(4, 1) }));
    expect(found.map(({ id }) => id).sort()).toEqual(['m1', 'm2']);
    expect(await space.count()).toBe(2);
    // Two and the watermark: nothing is left of the others.
    expect(points.size).toBe(3);
  });

  it('finds nothing in a collection that only another model has', async () => {
    await hold();
    const other = engine.open(address, { name: 'other', dimensions: 7 });
    expect(await other.search(question(workspace, { text: 'tea', vector: towards(7, 1) }))).toEqual([]);
    expect(await other.count()).toBe(0);
  });

  it('refuses a vector of another length before anything is sent', async () => {
    await hold();
    const wrong = point(workspace, { revision: 3, vector: towards(5, 1) });
    const batch = { ledger, from: { ledger, revision: 2 }, to: 3, items: [wrong] };
    const calls = await callsDuring(() => expect(space.apply(batch)).rejects.toThrow(ItemRefused));
    expect(calls).toEqual([]);
  });

  describe('on an older server', () => {
    beforeEach(async () => {
      await engine.close();
      await server.close();
    });

    it('before 1.18 makes the collection anew for a second model, and fills both by replay', async () => {
      await start('1.16.3');
      await hold();
      const beside = engine.open(address, { name: 'beside', dimensions: 6 });
      await applyItems(beside, ledger, [
        point(workspace, { revision: 1, text: 'tea', vector: towards(6, 1) }),
      ]);
      expect(await space.watermark()).toEqual(EMPTY);
      await hold();
      for (const one of [space, beside]) {
        expect((await one.search(question(workspace, { text: 'tea' }))).map(({ id }) => id)).toEqual(['m1']);
      }
      await space.drop();
      expect(await space.watermark()).toEqual(EMPTY);
      expect(await beside.count()).toBe(1);
    });

    it('before 1.16 nothing is written or searched: it could not keep revisions in order', async () => {
      await start('1.15.5');
      await expect(hold()).rejects.toThrow(SpaceUnavailable);
      await expect(space.search(question(workspace, { text: 'tea' }))).rejects.toThrow(SpaceUnavailable);
      expect(server.collections.size).toBe(0);
    });
  });

  describe('when the server does not answer as it should', () => {
    it.each([429, 500, 503, 507])('takes status %s for an outage', async (status) => {
      await hold();
      server.interfere = () => ({ status });
      await expect(space.watermark()).rejects.toThrow(SpaceUnavailable);
      await expect(space.search(question(workspace, { text: 'tea' }))).rejects.toThrow(SpaceUnavailable);
    });

    it('asks once more where the connection broke, and then takes it for an outage', async () => {
      await hold();
      let cuts = 1;
      server.interfere = () => (cuts-- > 0 ? 'cut before' : null);
      expect(await space.count()).toBe(2);
      cuts = 9;
      await expect(space.count()).rejects.toThrow(SpaceUnavailable);
    });

    it('knows its own batch again whose answer was lost', async () => {
      await hold();
      let cuts = 1;
      server.interfere = ({ route }) => (route.endsWith('/batch') && cuts-- > 0 ? 'cut after' : null);
      const item = point(workspace, { revision: 3, text: 'late' });
      expect(await applyItems(space, ledger, [item])).toBe('applied');
      expect(await space.watermark()).toEqual({ ledger, revision: 3 });
      expect(await space.count()).toBe(3);
    });

    it('gives up after its time, and is well again with the server', async () => {
      await hold();
      const hasty = new QdrantEngine({ url: server.url, apiKey: null, readTimeout: 80 });
      let release: () => void = () => undefined;
      const held = new Promise<null>((resolve) => {
        release = () => resolve(null);
      });
      server.interfere = () => held;
      await expect(hasty.open(address, MODEL).watermark()).rejects.toThrow(SpaceUnavailable);
      release();
      server.interfere = () => null;
      const well = () => hasty.open(address, MODEL).watermark();
      await eventually(async () => (await well().catch(() => null))?.revision === 2);
      await hasty.close();
    });

    it('lets one caller find out whether a silent server is back, and tells all others at once', async () => {
      await hold();
      const hasty = new QdrantEngine({ url: server.url, apiKey: null, readTimeout: 80 });
      const theirs = hasty.open(address, MODEL);
      let release: () => void = () => undefined;
      const held = new Promise<null>((resolve) => (release = () => resolve(null)));
      server.interfere = () => held;
      await expect(theirs.watermark()).rejects.toThrow(SpaceUnavailable);
      const before = server.calls.length;
      const asked = () => server.calls.slice(before).map(({ route }) => route);
      await eventually(async () => {
        const askers = Array.from({ length: 50 }, () => theirs.watermark());
        const answers = await Promise.allSettled(askers);
        expect(answers.filter(({ status }) => status === 'fulfilled')).toEqual([]);
        return asked().length > 0;
      });
      // Nobody who asked nothing can have waited for an answer.
      expect(asked()).toEqual(['/']);
      release();
      server.interfere = () => null;
      await eventually(async () => (await theirs.watermark().catch(() => null))?.revision === 2);
      await hasty.close();
    });

    it('takes a server that is away, and one that accepts and says nothing, for an outage', async () => {
      const silent: Server = createServer((socket) => socket.resume());
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      const bound = silent.address();
      const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
      const url = `http://127.0.0.1:${port}`;
      const engine = new QdrantEngine({ url, apiKey: null, readTimeout: 100 });
      await expect(engine.ping()).rejects.toThrow(SpaceUnavailable);
      await new Promise((resolve) => silent.close(resolve));
      await expect(engine.ping()).rejects.toThrow(SpaceUnavailable);
    });
  });
});

async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  for (let asked = 0; asked < 400; asked++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('This did not come true');
}
