import { randomBytes } from 'node:crypto';
import { cp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { FalkorDbEngine } from '../../../src/spaces/falkordb/falkordb-engine.js';
import type { GraphSpace } from '../../../src/spaces/graph-space.js';
import type { SpaceAddress } from '../../../src/spaces/projection.js';
import { SpaceUnavailable } from '../../../src/spaces/space-errors.js';
import { newAddress, newWorkspace } from '../../contracts/engine-under-test.js';
import { FalkorDbServerForTests, withFalkorDb } from '../../support/falkordb.js';
import { GraphLedger, listed } from './graph-ledger.js';

withFalkorDb('faults of FalkorDB', () => {
  const secret = { key: randomBytes(32), version: 1 };
  const timeouts = { connectMs: 2_000, readMs: 500, writeMs: 5_000 };
  let server: FalkorDbServerForTests;
  let engine: FalkorDbEngine;
  let address: SpaceAddress;
  let space: GraphSpace;
  let ledger: GraphLedger;

  beforeEach(async () => {
    server = await FalkorDbServerForTests.start({ persistent: true });
    engine = new FalkorDbEngine({ url: server.url, secret, timeouts });
    address = newAddress();
    space = engine.open(address);
    ledger = new GraphLedger(address.tenant, newWorkspace());
    for (let at = 0; at < 50; at++) {
      ledger.memory(`m${at}`);
      ledger.relation(`m${at}`, `m${(at * 7) % 50}`);
    }
    await ledger.catchUp(space).run();
  });
  afterEach(async () => {
    await engine.close();
    await server.stop();
  });

  /** Until the engine has noticed that the server is back. */
  const recovered = async (): Promise<void> => {
    for (const deadline = Date.now() + 5_000; ;) {
      try {
        return await ledger.catchUp(space).run();
      } catch (error) {
        if (!(error instanceof SpaceUnavailable) || Date.now() > deadline) throw error;
        await new Promise((resume) => setTimeout(resume, 20));
      }
    }
  };

  it('builds a graph again that is of a format without entities', async () => {
    ledger.memory('m0', 'm1');
    await ledger.catchUp(space).run();
    const before = await listed(space);
    const aged = 'MATCH (w:Watermark2) CREATE (:Watermark {ledger: w.ledger, revision: w.revision}) DELETE w';
    await server.command('GRAPH.QUERY', address.name, aged);
    await server.command('GRAPH.QUERY', address.name, 'MATCH (e:Entity) DELETE e');
    expect(await space.watermark()).toEqual({ ledger: null, revision: 0 });
    await ledger.catchUp(space).run();
    expect(await listed(space)).toEqual(before);
    expect(before).toEqual(ledger.expected());
    expect(await space.count()).toMatchObject({ nodes: 50, entities: 1, mentions: 50 });
    const marks = 'MATCH (n) WHERE NOT n:Memory AND NOT n:Entity RETURN labels(n)[0]';
    expect(JSON.stringify(await server.command('GRAPH.QUERY', address.name, marks))).toContain(
      '"Watermark2"',
    );
  });

  it('replays the tail that a killed server lost', async () => {
    const kept = join(server.dataFolder, 'appendonlydir');
    const earlier = join(server.dataFolder, 'earlier');
    // What is copied is what was applied, to the last byte.
    await server.command('CONFIG', 'SET', 'appendfsync', 'always');
    ledger.memory('early');
    await ledger.catchUp(space).run();
    const at = await space.watermark();
    await cp(kept, earlier, { recursive: true });
    ledger.memory('late');
    ledger.relation('m1', 'late');
    ledger.forget('memory', 'm2');
    ledger.forget('relation', 'm3-m21');
    await ledger.catchUp(space).run();
    expect(await listed(space)).toEqual(ledger.expected());

    await server.kill();
    await rm(kept, { recursive: true });
    await cp(earlier, kept, { recursive: true });
    await server.run();
    await ping();
    expect(await space.watermark()).toEqual(at);
    await recovered();
    expect(await listed(space)).toEqual(ledger.expected());
  });

  const ping = async (): Promise<void> => {
    for (const deadline = Date.now() + 5_000; ;) {
      try {
        return await engine.ping();
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await new Promise((resume) => setTimeout(resume, 20));
      }
    }
  };

  it('comes back from a server that was killed again and again while it was written to', async () => {
    let under = true;
    const failures: unknown[] = [];
    const writing = (async () => {
      for (let at = 0; under; at++) {
        ledger.memory(`w${at % 200}`);
        if (at % 3 === 0) ledger.forget('memory', `w${(at * 13) % 200}`);
        ledger.relation(`w${at % 200}`, `m${at % 50}`);
        await ledger
          .catchUp(space)
          .run()
          .catch((error: unknown) => failures.push(error));
        if (failures.length > 0) await new Promise((resume) => setTimeout(resume, 5));
      }
    })();
    for (let kills = 0; kills < 3; kills++) {
      await new Promise((resume) => setTimeout(resume, 150));
      await server.kill();
      await new Promise((resume) => setTimeout(resume, 100));
      await server.run();
    }
    under = false;
    await writing;
    await recovered();
    expect(failures.filter((error) => !(error instanceof SpaceUnavailable))).toEqual([]);
    expect(failures.length).toBeGreaterThan(0);
    expect(ledger.unindexable).toEqual([]);
    expect(await listed(space)).toEqual(ledger.expected());
  });

  it('notices a graph that was wiped while it ran', async () => {
    await server.command('GRAPH.DELETE', address.name);
    expect(await space.related({ workspace: ledger.workspace, from: ['m1'], depth: 2, limit: 10 })).toEqual(
      [],
    );
    await ledger.catchUp(space).run();
    expect(await listed(space)).toEqual(ledger.expected());
    await server.command('FLUSHALL');
    ledger.memory('after');
    await ledger.catchUp(space).run();
    expect(await listed(space)).toEqual(ledger.expected());
  });

  it('takes nothing for what no graph can hold because the graph was deleted under a write', async () => {
    for (let at = 0; at < 3_000; at++) ledger.memory(`more${at}`);
    for (let times = 0; times < 20; times++) {
      const filling = ledger.catchUp(space).run();
      let filled = false;
      const done = filling.finally(() => (filled = true));
      for (let wiped = 0; wiped < 30 && !filled; wiped++) {
        await server.command('GRAPH.DELETE', address.name).catch(() => undefined);
        await new Promise((resume) => setTimeout(resume, 1 + (times % 5)));
      }
      await done;
    }
    await ledger.catchUp(space).run();
    expect(ledger.unindexable).toEqual([]);
    expect(await listed(space)).toEqual(ledger.expected());
  });

  it('says within its time that a server which stands still is away, and goes on when it moves again', async () => {
    server.signal('SIGSTOP');
    const began = performance.now();
    await expect(space.watermark()).rejects.toThrow(SpaceUnavailable);
    expect(performance.now() - began).toBeLessThan(4_000);
    server.signal('SIGCONT');
    ledger.memory('after');
    await recovered();
    expect(await listed(space)).toEqual(ledger.expected());
  });

  it('gives nobody the answer to a question that somebody else gave up', async () => {
    const others = newAddress();
    const theirs = engine.open(others);
    const ledgers = new GraphLedger(others.tenant, newWorkspace());
    ledgers.memory('theirs');
    await ledgers.catchUp(theirs).run();
    const marks = { ours: await space.watermark(), theirs: await theirs.watermark() };
    for (let round = 0; round < 3; round++) {
      server.signal('SIGSTOP');
      const given_up = [space, theirs, space].map((one) => one.watermark().catch((error: unknown) => error));
      for (const answer of await Promise.all(given_up)) expect(answer).toBeInstanceOf(SpaceUnavailable);
      server.signal('SIGCONT');
      await ping();
      const answers = await Promise.all([space, theirs, space, theirs].map((one) => one.watermark()));
      expect(answers).toEqual([marks.ours, marks.theirs, marks.ours, marks.theirs]);
    }
  });

  it('lets two replicas race, and both end where the ledger is', async () => {
    const second = new FalkorDbEngine({ url: server.url, secret, timeouts });
    try {
      const spaces = [space, second.open(address)];
      for (let round = 0; round < 15; round++) {
        if (round % 5 === 0) await server.command('GRAPH.DELETE', address.name);
        ledger.memory(`r${round}`, `s${round}`);
        ledger.relation(`r${round}`, `m${round}`);
        ledger.forget('memory', `s${round - 1}`);
        await Promise.all(spaces.map((one) => ledger.catchUp(one).run()));
        expect(await listed(space)).toEqual(ledger.expected());
      }
    } finally {
      await second.close();
    }
  });

  it('passes what the store cannot hold, and holds the rest', async () => {
    ledger.memory('x\0y', 'half \ud800', 'fine');
    ledger.relation('fine', 'm1', { strength: Number.NaN });
    await ledger.catchUp(space).run();
    expect(ledger.unindexable).toEqual(['x\0y', 'half \ud800', 'fine-m1']);
    expect((await listed(space)).filter((name) => name.includes('fine'))).toHaveLength(1);
  });
});

describe('a server that does not speak as FalkorDB does', () => {
  const open = (port: number) =>
    new FalkorDbEngine({
      url: `falkor://operator:secret@127.0.0.1:${port}`,
      secret: { key: randomBytes(32), version: 1 },
      timeouts: { connectMs: 200, readMs: 200, writeMs: 200 },
    }).open(newAddress());

  it.each<[string, (socket: Socket) => void]>([
    [
      'resets every connection when it is spoken to',
      (socket) => void socket.on('data', () => socket.resetAndDestroy()),
    ],
    [
      'lets one in, then resets',
      (socket) => {
        socket.once('data', () => {
          socket.write('+OK\r\n');
          socket.once('data', () => socket.resetAndDestroy());
        });
      },
    ],
    ['closes every connection', (socket) => void socket.end()],
    ['never answers', () => undefined],
    [
      'answers nonsense',
      (socket) => void socket.on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')),
    ],
  ])('is away, and nothing worse, where it %s', async (_, behave) => {
    const sockets: Socket[] = [];
    const server: Server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      behave(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const space = open((server.address() as AddressInfo).port);
    for (let times = 0; times < 3; times++) await expect(space.watermark()).rejects.toThrow(SpaceUnavailable);
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('is away where nobody listens', async () => {
    await expect(open(1).watermark()).rejects.toThrow(SpaceUnavailable);
  });
});
