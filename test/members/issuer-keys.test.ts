import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { GuardedFetch } from '../../src/platform/outgoing/guarded-fetch.js';
import { IssuerKeys, IssuerUnavailable } from '../../src/tenancy/issuer-keys.js';

const MINUTE = 60_000;

/** An issuer that serves two documents, counts how often it is asked, and fails when it is told to. */
class Issuer {
  asked = 0;
  away = false;
  keys: JWK[] = [];
  says: string | null = null;
  private constructor(private readonly server: Server) {}

  static async start(): Promise<Issuer> {
    const server = createServer();
    const issuer = new Issuer(server);
    server.on('request', (request, response) => {
      if (request.url?.endsWith('openid-configuration') === true) issuer.asked++;
      if (issuer.away) return void response.writeHead(500).end();
      const about = { issuer: issuer.says ?? issuer.url, jwks_uri: `${issuer.url}/keys` };
      response.end(JSON.stringify(request.url === '/keys' ? { keys: issuer.keys } : about));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return issuer;
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

describe('an issuer’s keys', () => {
  let issuer: Issuer;
  let fetch: GuardedFetch;
  let keys: IssuerKeys;
  let now: number;
  let jwk: JWK;

  beforeAll(async () => {
    const { publicKey } = await generateKeyPair('ES256');
    jwk = await exportJWK(publicKey);
  });
  beforeEach(async () => {
    issuer = await Issuer.start();
    issuer.keys = [{ ...jwk, kid: 'known', alg: 'ES256' }];
    fetch = new GuardedFetch([issuer.host]);
    now = 1_000;
    keys = new IssuerKeys(fetch, () => now);
  });
  afterEach(async () => {
    issuer.stop();
    await fetch.onApplicationShutdown();
  });

  const keyOf = (kid: string) => keys.keyOf(issuer.url, { alg: 'ES256', kid });

  it('are asked for once, however many tokens come at the same moment', async () => {
    await Promise.all(Array.from({ length: 50 }, () => keyOf('known')));
    expect(issuer.asked).toBe(1);
  });

  it('are kept for ten minutes', async () => {
    await keyOf('known');
    now += 9 * MINUTE;
    await keyOf('known');
    expect(issuer.asked).toBe(1);
    now += 2 * MINUTE;
    await keyOf('known');
    expect(issuer.asked).toBe(2);
  });

  it('are asked for again for a name that nobody knows, but only twice a minute', async () => {
    await keyOf('known');
    issuer.keys = [{ ...jwk, kid: 'new', alg: 'ES256' }];
    await keyOf('new');
    expect(issuer.asked).toBe(2);
    for (let i = 0; i < 100; i++) {
      now += 100;
      await expect(keyOf(`made up ${i}`)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    }
    expect(issuer.asked).toBe(2);
    now += 30_000;
    await expect(keyOf('made up')).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    expect(issuer.asked).toBe(3);
  });

  it('are used on for an hour where the issuer is away, and no longer', async () => {
    await keyOf('known');
    issuer.away = true;
    now += 30 * MINUTE;
    await keyOf('known');
    now += 31 * MINUTE;
    await expect(keyOf('known')).rejects.toThrow(IssuerUnavailable);
  });

  it('are not asked for again and again where the issuer is away', async () => {
    issuer.away = true;
    for (let i = 0; i < 20; i++) await expect(keyOf('known')).rejects.toThrow(IssuerUnavailable);
    expect(issuer.asked).toBe(1);
    issuer.away = false;
    now += 6_000;
    await keyOf('known');
  });

  it('are not taken from somebody who says that they are another', async () => {
    issuer.says = 'https://another.example';
    await expect(keyOf('known')).rejects.toThrow(IssuerUnavailable);
  });

  it('are none that a secret could stand for', async () => {
    issuer.keys = [{ kty: 'oct', kid: 'known', k: 'c2VjcmV0' }];
    await expect(keys.keyOf(issuer.url, { alg: 'HS256', kid: 'known' })).rejects.toThrow();
  });
});
