import supertest from 'supertest';
import { HealthProbe } from '../../src/platform/health/health-probe.js';
import type { HealthPart } from '../../src/platform/health/health-probe.js';
import { platformApp } from '../support/platform-app.js';
import type { PlatformApp } from '../support/platform-app.js';

class Probe extends HealthProbe {
  asked = 0;

  constructor(
    readonly part: HealthPart,
    private readonly answer: () => Promise<void> = async () => {},
    readonly vital = part === 'ledger',
  ) {
    super();
  }

  override check(): Promise<void> {
    this.asked++;
    return this.answer();
  }
}

describe('health', () => {
  const servers: PlatformApp[] = [];

  async function serverWith(
    ...probes: Probe[]
  ): Promise<PlatformApp & { http: ReturnType<typeof supertest> }> {
    const server = await platformApp({ probes });
    servers.push(server);
    return { ...server, http: supertest(server.app.getHttpServer()) };
  }

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });

  it('is healthy where every part answers, under both names and without a token', async () => {
    const { http } = await serverWith(
      new Probe('ledger'),
      new Probe('vectors'),
      new Probe('graph'),
      new Probe('models'),
    );
    for (const path of ['/health', '/v1/health', '/api/v1/health']) {
      const { status, body } = await http.get(path);
      expect(status).toBe(200);
      expect(body).toEqual({
        status: 'healthy',
        multi_tenant: true,
        version: '0.1.0',
        stores: { ledger: 'ok', vectors: 'ok', graph: 'ok', models: 'ok' },
      });
    }
    expect((await http.get('/health/ready')).body).toEqual({ status: 'ready', phase: 'ready' });
    expect((await http.get('/health/agent')).body).toMatchObject({ status: 'healthy', models: 'ok' });
  });

  it('is degraded, and still ready, where only some ledgers are away', async () => {
    const away = () => Promise.reject(new Error('away'));
    const { http } = await serverWith(new Probe('ledger'), new Probe('ledger', away, false));
    expect((await http.get('/health')).body).toMatchObject({
      status: 'degraded',
      stores: { ledger: 'down' },
    });
    expect((await http.get('/health/ready')).status).toBe(200);
  });

  it('is degraded, and still ready, without its models; it tells no reason outside', async () => {
    const models = new Probe('models', () => Promise.reject(new Error('key sk-hunter2 refused')));
    const { http, lines } = await serverWith(new Probe('ledger'), models);
    const { status, body, text } = await http.get('/health');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'degraded',
      stores: { ledger: 'ok', models: 'down', graph: 'unknown' },
    });
    expect(text).not.toContain('hunter2');
    expect((await http.get('/health/ready')).status).toBe(200);
    expect((await http.get('/health/agent')).body).toMatchObject({ default_agent: { can_answer: false } });
    expect(lines.some(({ part, level }) => part === 'models' && level === 'warn')).toBe(true);
  });

  it('does not wait longer than a second for a part that hangs, nor asks it again meanwhile', async () => {
    const ledger = new Probe('ledger', () => new Promise(() => {}));
    const { http } = await serverWith(ledger);
    const started = performance.now();
    const replies = await Promise.all([http.get('/health'), http.get('/health/ready'), http.get('/health')]);
    expect(performance.now() - started).toBeLessThan(3_000);
    expect(replies.map(({ status }) => status)).toEqual([200, 503, 200]);
    expect(replies[0].body.stores.ledger).toBe('down');
    expect(replies[1].headers['retry-after']).toBe('1');
    expect(ledger.asked).toBe(1);
  });

  it('is live but not ready while stopping', async () => {
    const { http, state } = await serverWith(new Probe('ledger'));
    state.beginStopping();
    expect((await http.get('/health/live')).body).toEqual({ status: 'alive' });
    const ready = await http.get('/health/ready');
    expect([ready.status, ready.body.phase]).toEqual([503, 'stopping']);
  });
});
