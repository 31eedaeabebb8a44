import { randomBytes } from 'node:crypto';
import { FalkorDbEngine } from '../../../src/spaces/falkordb/falkordb-engine.js';
import { TenantUsers } from '../../../src/spaces/falkordb/tenant-users.js';
import type { GraphSpace } from '../../../src/spaces/graph-space.js';
import type { SpaceAddress } from '../../../src/spaces/projection.js';
import { newAddress, newWorkspace } from '../../contracts/engine-under-test.js';
import { FalkorDbServerForTests, withFalkorDb } from '../../support/falkordb.js';
import { GraphLedger, listed } from './graph-ledger.js';

withFalkorDb("the store's own wall between tenants, in FalkorDB", () => {
  const secret = { key: randomBytes(32), version: 1 };
  let server: FalkorDbServerForTests;
  let engine: FalkorDbEngine;
  let ours: SpaceAddress;
  let theirs: SpaceAddress;

  beforeAll(async () => {
    server = await FalkorDbServerForTests.start();
    engine = new FalkorDbEngine({ url: server.url, secret });
  });
  afterAll(async () => {
    await engine.close();
    await server.stop();
  });
  beforeEach(async () => {
    [ours, theirs] = [newAddress(), newAddress()];
    for (const address of [ours, theirs]) await filled(engine.open(address), address);
  });

  /** One command with nothing of ours in between: the tenant's name and password, as the engine derives them. */
  const asUs = (...command: string[]): Promise<unknown> => {
    const { username, password } = new TenantUsers(secret).login(ours);
    if (username === null || password === null) throw new Error('a tenant has a user and a password');
    return server.commandAs({ username, password }, ...command);
  };

  it("lets a tenant's own user read and write its own graph", async () => {
    const answer = await asUs('GRAPH.QUERY', ours.name, 'MATCH (m:Memory) RETURN count(m)');
    expect(JSON.stringify(answer)).toContain('[[2]]');
  });

  it.each([
    ['read', (graph: string) => ['GRAPH.RO_QUERY', graph, 'MATCH (n) RETURN n']],
    ['be written', (graph: string) => ['GRAPH.QUERY', graph, 'CREATE (n)']],
    ['be deleted', (graph: string) => ['GRAPH.DELETE', graph]],
    ['be copied', (graph: string) => ['GRAPH.COPY', graph, 'mine']],
    ['be measured', (graph: string) => ['GRAPH.MEMORY', 'USAGE', graph]],
    ['be explained', (graph: string) => ['GRAPH.EXPLAIN', graph, 'MATCH (n) RETURN n']],
    ['be dumped', (graph: string) => ['DUMP', graph]],
    ['be removed', (graph: string) => ['DEL', graph]],
  ])("lets no tenant's graph %s by another's user", async (_, command) => {
    await expect(asUs(...command(theirs.name))).rejects.toThrow(/^NOPERM/);
    expect(await listed(engine.open(theirs))).toHaveLength(3);
  });

  it.each([
    ['GRAPH.LIST'],
    ['KEYS', '*'],
    ['SCAN', '0'],
    ['ACL', 'LIST'],
    ['GRAPH.CONFIG', 'GET', '*'],
    ['CONFIG', 'GET', '*'],
  ])('tells a tenant nothing about others by %s', async (...command) => {
    await expect(asUs(...command)).rejects.toThrow(/^NOPERM/);
  });

  it("holds where it is the key alone that says no: a user with every command, and a tenant's pattern", async () => {
    await server.command('ACL', 'SETUSER', 'broad', 'reset', 'on', '>broad', `~${ours.name}`, '+@all');
    const broad = (...command: string[]) =>
      server.commandAs({ username: 'broad', password: 'broad' }, ...command);
    await expect(broad('GRAPH.COPY', theirs.name, 'mine')).rejects.toThrow(/^NOPERM/);
    await expect(broad('GRAPH.COPY', ours.name, theirs.name)).rejects.toThrow(/^NOPERM/);
    await expect(broad('GRAPH.MEMORY', 'USAGE', theirs.name)).rejects.toThrow(/^NOPERM/);
  });

  it("lets nobody in by a tenant's name alone, or by another tenant's password", async () => {
    await expect(server.commandAs({ username: ours.name, password: '' }, 'PING')).rejects.toThrow(
      /^WRONGPASS/,
    );
    const { password } = new TenantUsers(secret).login(theirs);
    await expect(server.commandAs({ username: ours.name, password: password ?? '' }, 'PING')).rejects.toThrow(
      /^WRONGPASS/,
    );
  });

  it('gives every tenant another password, and another at every rotation', () => {
    const passwords = [1, 2].flatMap((version) =>
      [ours, theirs].map((address) => new TenantUsers({ ...secret, version }).login(address).password),
    );
    expect(new Set(passwords).size).toBe(4);
  });

  it('rotates a password: the new one works, the old one no more, and what is stored stays', async () => {
    const rotated = new FalkorDbEngine({ url: server.url, secret: { ...secret, version: 2 } });
    try {
      expect(await listed(rotated.open(ours))).toHaveLength(3);
      await expect(asUs('GRAPH.RO_QUERY', ours.name, 'RETURN 1')).rejects.toThrow(/^WRONGPASS/);
      // A replica that still has the old secret goes on with the connection that it has.
      expect(await listed(engine.open(ours))).toHaveLength(3);
    } finally {
      await rotated.close();
    }
  });

  it("makes a tenant's user again where the store has lost it, connections and all", async () => {
    await server.command('ACL', 'DELUSER', ours.name);
    expect(await listed(engine.open(ours))).toHaveLength(3);
  });

  it('leaves no user behind for a tenant that was dropped', async () => {
    await engine.drop(ours);
    expect(await server.command('ACL', 'GETUSER', ours.name)).toBeNull();
    expect(await server.command('EXISTS', ours.name)).toBe(0);
  });

  it('keeps the tenant of a name out of what an earlier tenant of that name had', async () => {
    const later = { ...newAddress(), name: ours.name };
    expect(await engine.open(later).watermark()).toEqual(await engine.open(ours).watermark());
    expect(new TenantUsers(secret).login(later).password).not.toBe(
      new TenantUsers(secret).login(ours).password,
    );
  });
});

async function filled(space: GraphSpace, { tenant }: SpaceAddress): Promise<void> {
  const ledger = new GraphLedger(tenant, newWorkspace());
  ledger.memory('a', 'b');
  ledger.relation('a', 'b');
  await ledger.catchUp(space).run();
}
