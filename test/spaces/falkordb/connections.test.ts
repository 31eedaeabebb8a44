import { randomBytes } from 'node:crypto';
import { Backoff } from '../../../src/spaces/backoff.js';
import { FalkorDbEngine, type FalkorDbOptions } from '../../../src/spaces/falkordb/falkordb-engine.js';
import { parseServerAddress } from '../../../src/spaces/falkordb/server-address.js';
import { SpaceUnavailable } from '../../../src/spaces/space-errors.js';
import { ledgerOf, newAddress, newWorkspace } from '../../contracts/engine-under-test.js';
import { EMPTY } from '../../contracts/projection.contract.js';
import { FalkorDbServerForTests, withFalkorDb } from '../../support/falkordb.js';

withFalkorDb('connections to FalkorDB', () => {
  const secret = { key: randomBytes(32), version: 1 };
  let server: FalkorDbServerForTests;
  beforeAll(async () => {
    server = await FalkorDbServerForTests.start();
  });
  afterAll(() => server.stop());

  const withEngine = async (
    connections: FalkorDbOptions['connections'],
    work: (engine: FalkorDbEngine) => Promise<void>,
  ): Promise<void> => {
    const engine = new FalkorDbEngine({ url: server.url, secret, ...(connections && { connections }) });
    try {
      await work(engine);
    } finally {
      await engine.close();
    }
  };
  /** The names under which the server sees us connected. */
  const users = async (): Promise<string[]> =>
    [...String(await server.command('CLIENT', 'LIST')).matchAll(/ user=(\S+)/g)].map(
      ([, user]) => user ?? '',
    );

  it('stay within their limit, whatever number of tenants is asked for at once', async () => {
    await withEngine({ total: 5, waitMs: 20_000 }, async (engine) => {
      const addresses = Array.from({ length: 40 }, newAddress);
      let most = 0;
      const watching = setInterval(() => (most = Math.max(most, engine.connectionCount)), 1);
      const marks = addresses.flatMap((address) => [1, 2, 3].map(() => engine.open(address).watermark()));
      await Promise.all(marks);
      clearInterval(watching);
      expect(Math.max(most, engine.connectionCount)).toBeLessThanOrEqual(5);
      expect(await engine.open(newAddress()).watermark()).toEqual(EMPTY);
    });
  });

  it('of one tenant stay within its own limit, and leave room for others', async () => {
    await withEngine({ total: 4, each: 2, waitMs: 20_000 }, async (engine) => {
      const [busy, other] = [newAddress(), newAddress()];
      const many = Array.from({ length: 50 }, () => engine.open(busy).watermark());
      await engine.open(other).watermark();
      await Promise.all(many);
      const names = await users();
      expect(names.filter((name) => name === busy.name).length).toBeLessThanOrEqual(2);
      expect(names).toContain(other.name);
    });
  });

  it('belong to one tenant for their whole life: the longest idle ones make room', async () => {
    await withEngine({ total: 3 }, async (engine) => {
      const [first, second, third, fourth] = [newAddress(), newAddress(), newAddress(), newAddress()];
      // The operator's, which makes the users, is one of the three.
      for (const address of [first, second, third]) await engine.open(address).watermark();
      await engine.open(second).watermark();
      await engine.open(fourth).watermark();
      const names = await users();
      expect(names).toContain(fourth.name);
      expect(names).not.toContain(first.name);
    });
  });

  it('end with what is asked in vain, and say so in time', async () => {
    await withEngine({ total: 1, each: 1, waitMs: 50 }, async (engine) => {
      const space = engine.open(newAddress());
      await space.watermark();
      server.signal('SIGSTOP');
      const asked = [space.watermark(), space.watermark()].map((one) => one.catch((error: unknown) => error));
      const [, waited] = await Promise.all(asked);
      server.signal('SIGCONT');
      expect(waited).toBeInstanceOf(SpaceUnavailable);
    });
  });

  it('are all ended when the engine is closed, and made no more', async () => {
    const engine = new FalkorDbEngine({ url: server.url, secret });
    const address = newAddress();
    await engine.open(address).watermark();
    await engine.close();
    await expect(engine.open(address).watermark()).rejects.toThrow(SpaceUnavailable);
    expect(engine.connectionCount).toBe(0);
  });

  it('leave nothing of a batch that the server gives up half way', async () => {
    const engine = new FalkorDbEngine({ url: server.url, secret, timeouts: { writeMs: 1 } });
    const address = newAddress();
    try {
      const patient = new FalkorDbEngine({ url: server.url, secret });
      const workspace = newWorkspace();
      await patient.open(address).apply({ ledger: ledgerOf(address), from: EMPTY, to: 1, items: [] });
      const words = {
        kind: 'memory' as const,
        workspace,
        gone: false as const,
        type: '',
        importance: 0,
        timestamp: 0,
        entities: [],
      };
      const items = Array.from({ length: 5_000 }, (_, at) => ({ ...words, id: `m${at}`, revision: at + 2 }));
      const from = { ledger: ledgerOf(address), revision: 1 };
      const batch = { ledger: ledgerOf(address), from, to: 5_001, items };
      await expect(engine.open(address).apply(batch)).rejects.toThrow(SpaceUnavailable);
      expect(await patient.open(address).watermark()).toEqual(from);
      expect(await patient.open(address).count()).toMatchObject({ nodes: 0, relationships: 0 });
      await patient.close();
    } finally {
      await engine.close();
    }
  });
});

describe('Backoff', () => {
  it('doubles the time in which nobody asks, up to a second, until an answer comes', () => {
    let now = 0;
    const backoff = new Backoff(() => now);
    const waits: number[] = [];
    for (let failures = 0; failures < 7; failures++) {
      backoff.failed();
      backoff.failed();
      waits.push(backoff.remainingMs);
      now += backoff.remainingMs;
    }
    expect(waits).toEqual([50, 100, 200, 400, 800, 1_000, 1_000]);
    backoff.succeeded();
    expect(backoff.remainingMs).toBe(0);
    backoff.failed();
    expect(backoff.remainingMs).toBe(50);
  });
});

describe('parseServerAddress', () => {
  it('reads who, where, and whether encrypted', () => {
    expect(parseServerAddress('falkor://db')).toMatchObject({ host: 'db', port: 6379, tls: false });
    expect(parseServerAddress('rediss://op:p%40ss@[::1]:7000/0')).toEqual({
      host: '::1',
      port: 7000,
      tls: true,
      operator: { key: 'operator', username: 'op', password: 'p@ss' },
    });
  });

  it.each(['http://db', 'falkor://db/3', 'db:6379', ''])('refuses %j without repeating it', (text) => {
    expect(() => parseServerAddress(text)).toThrow(/^FalkorDB /);
  });
});
