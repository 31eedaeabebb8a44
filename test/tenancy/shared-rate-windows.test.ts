import { Metrics } from '../../src/platform/metrics/metrics.js';
import { SharedRateWindows } from '../../src/tenancy/shared-rate-windows.js';
import { ValkeyRateCounter } from '../../src/tenancy/valkey-rate-counter.js';
import { FalkorDbServerForTests, withFalkorDb } from '../support/falkordb.js';

const MINUTE = 60_000;

withFalkorDb('windows that replicas share', () => {
  let server: FalkorDbServerForTests;
  const closing: (() => Promise<void> | void)[] = [];

  /** As one process has them. Patient, so that a busy machine is not taken for a silent server. */
  async function replica(
    answersWithinMs = 30_000,
  ): Promise<{ windows: SharedRateWindows; shared: () => Promise<unknown> }> {
    const { hostname, port, username, password } = new URL(server.url);
    const address = { host: hostname, port: Number(port), tls: false, username, password };
    const counter = await ValkeyRateCounter.open(address, answersWithinMs);
    const metrics = new Metrics();
    const windows = new SharedRateWindows(counter, metrics);
    closing.push(
      () => counter.close(),
      () => windows.onApplicationShutdown(),
    );
    const shared = async () =>
      (await metrics.registry.getSingleMetric('loci_rate_limits_shared')?.get())?.values[0]?.value;
    return { windows, shared };
  }

  const letThrough = async (windows: SharedRateWindows, key: string, limit: number, requests: number) => {
    const all = await Promise.all(
      Array.from({ length: requests }, () => windows.increment(key, MINUTE, limit, 0, 'tenant')),
    );
    return all.filter(({ isBlocked }) => !isBlocked).length;
  };

  beforeAll(async () => {
    server = await FalkorDbServerForTests.start();
  });
  afterAll(async () => {
    for (const close of closing) await close();
    await server.stop();
  });

  it.each([1, 7, 60, 1_000, 10_000])('let exactly %d through, over three replicas at once', async (limit) => {
    const replicas = await Promise.all([replica(), replica(), replica()]);
    const passed = await Promise.all(
      replicas.map(({ windows }) => letThrough(windows, `exactly-${limit}`, limit, limit)),
    );
    expect(passed.reduce((sum, each) => sum + each)).toBe(limit);
  });

  it('count down request by request, and say when the window ends', async () => {
    const [one, two] = [await replica(), await replica()];
    const hits: number[] = [];
    for (const { windows } of [one, two, one, two]) {
      const { totalHits, timeToExpire } = await windows.increment('by-turns', MINUTE, 3, 0, 'key');
      hits.push(totalHits);
      expect(timeToExpire).toBeGreaterThan(0);
      expect(timeToExpire).toBeLessThanOrEqual(60);
    }
    expect(hits).toEqual([1, 2, 3, 4]);
  });

  it('begin anew when one has ended', async () => {
    const { windows } = await replica();
    const hit = () => windows.increment('short', 300, 1, 0, 'key');
    expect([(await hit()).isBlocked, (await hit()).isBlocked]).toEqual([false, true]);
    let blocked = true;
    for (const deadline = Date.now() + 10_000; blocked && Date.now() < deadline;) {
      await new Promise((resume) => setTimeout(resume, 50));
      blocked = (await hit()).isBlocked;
    }
    expect(blocked).toBe(false);
  });

  it('let nothing through where the limit is nothing', async () => {
    const { windows } = await replica();
    expect(await letThrough(windows, 'nothing', 0, 3)).toBe(0);
  });

  it('are counted alone while the server is away or silent, and say so; together again when it is back', async () => {
    const { windows, shared } = await replica(2_000);
    expect(await letThrough(windows, 'before', 5, 9)).toBe(5);
    expect(await shared()).toBe(1);
    server.signal('SIGSTOP');
    expect(await letThrough(windows, 'silent', 5, 9)).toBe(5);
    expect(await shared()).toBe(0);
    server.signal('SIGCONT');
    await server.kill();
    expect(await letThrough(windows, 'away', 5, 9)).toBe(5);
    expect(await shared()).toBe(0);
    await server.run();
    for (let i = 0; (await shared()) !== 1 && i < 400; i++) {
      await new Promise((resume) => setTimeout(resume, 50));
      await windows.increment(`back-${i}`, MINUTE, 5, 0, 'tenant');
    }
    expect(await shared()).toBe(1);
  });
});
