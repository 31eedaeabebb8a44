import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FetchRefused, GuardedFetch } from '../../src/platform/outgoing/guarded-fetch.js';
import { isPublicAddress } from '../../src/platform/outgoing/public-address.js';

const LIMITS = { ms: 2_000, bytes: 1_000 };

describe('an address of the public internet', () => {
  it.each(['8.8.8.8', '93.184.216.34', '2606:4700::1111', '::ffff:8.8.8.8'])('may be %s', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    ...['0.0.0.0', '10.0.0.1', '100.64.0.1', '127.0.0.1', '127.9.9.9', '169.254.169.254', '172.16.0.1'],
    ...['192.0.0.192', '192.0.2.1', '192.168.1.1', '198.18.0.1', '224.0.0.1', '255.255.255.255'],
    ...['100.100.100.200', '168.63.129.16', '::', '::1', '::7f00:1', '::ffff:127.0.0.1', '::ffff:a9fe:a9fe'],
    ...[
      '64:ff9b::a00:1',
      '2002:a00:1::',
      '2001::1',
      '2001:db8::1',
      'fc00::1',
      'fd00:ec2::254',
      'fe80::1',
      'ff02::1',
    ],
    ...['localhost', 'example.com', ''],
  ])('is not %s', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

const servers: Server[] = [];
const fetchers: GuardedFetch[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  await Promise.all(fetchers.splice(0).map((fetcher) => fetcher.onApplicationShutdown()));
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function fetcher(...options: ConstructorParameters<typeof GuardedFetch>): GuardedFetch {
  const made = new GuardedFetch(...options);
  fetchers.push(made);
  return made;
}

describe('what a tenant names is fetched', () => {
  it('where an operator vouches for its host', async () => {
    const host = await serve((_request, response) => response.end('here'));
    for (const vouched of [host, '127.0.0.1']) {
      expect((await fetcher([vouched]).get(`http://${host}/`, LIMITS)).toString()).toBe('here');
    }
  });

  it('from no private address, and the vouched host’s other ports are none of its business', async () => {
    let asked = 0;
    const host = await serve((_request, response) => response.end(String(++asked)));
    for (const url of [`http://${host}/`, `https://${host}/`, 'https://localhost/', 'https://10.0.0.1/']) {
      await expect(fetcher(['127.0.0.1:1']).get(url, LIMITS)).rejects.toThrow(FetchRefused);
    }
    expect(asked).toBe(0);
  });

  it('from no name that leads to a private address, nor from one that leads to both kinds', async () => {
    let connections = 0;
    const host = await serve(() => undefined);
    servers.at(-1)?.on('connection', () => connections++);
    const port = host.split(':')[1];
    for (const addresses of [
      ['127.0.0.1'],
      ['93.184.216.34', '127.0.0.1'],
      ['169.254.169.254'],
      ['::1'],
      [],
    ]) {
      const lookup = (_host: string, _options: unknown, answer: (error: null, found: unknown) => void) =>
        answer(
          null,
          addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        );
      const guarded = fetcher([], lookup as never);
      await expect(guarded.get(`https://rebound.example:${port}/`, LIMITS)).rejects.toThrow(
        /no host of the public internet/,
      );
    }
    expect(connections).toBe(0);
  });

  it('from no private address that a redirect leads to', async () => {
    let reached = false;
    const inner = await serve((_request, response) => {
      reached = true;
      response.end('secret');
    });
    for (const location of [
      `http://${inner}/`,
      `https://${inner}/`,
      'file:///etc/passwd',
      'http://169.254.169.254/',
    ]) {
      const outer = await serve((_request, response) => response.writeHead(302, { location }).end());
      await expect(fetcher([outer]).get(`http://${outer}/`, LIMITS)).rejects.toThrow(FetchRefused);
    }
    expect(reached).toBe(false);
  });

  it('through three redirects and no more', async () => {
    const host = await serve((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end('arrived');
      else response.writeHead(302, { location: `/${left - 1}` }).end();
    });
    expect((await fetcher([host]).get(`http://${host}/3`, LIMITS)).toString()).toBe('arrived');
    await expect(fetcher([host]).get(`http://${host}/4`, LIMITS)).rejects.toThrow(/redirects more than/);
  });

  it('up to a size, whatever its headers say', async () => {
    const host = await serve((_request, response) => {
      const timer = setInterval(() => response.write('x'.repeat(500)), 5);
      response.on('close', () => clearInterval(timer));
    });
    await expect(fetcher([host]).get(`http://${host}/`, LIMITS)).rejects.toThrow(/more than 1000 bytes/);
  });

  it('within a time, also where the body trickles in', async () => {
    const host = await serve((_request, response) => {
      response.write('{');
    });
    await expect(fetcher([host]).get(`http://${host}/`, { ...LIMITS, ms: 300 })).rejects.toThrow(
      FetchRefused,
    );
  });

  it('only where it is there', async () => {
    const host = await serve((_request, response) => response.writeHead(404).end('no'));
    await expect(fetcher([host]).get(`http://${host}/`, LIMITS)).rejects.toThrow(/answers 404/);
  });
});

describe('what a client wants sent', () => {
  const sent = {
    method: 'POST' as const,
    headers: { 'content-type': 'text/plain', 'x-secret': 'hush' },
    body: 'asked',
    signal: null,
    bytes: 1_000,
  };

  it('is sent as it is, and answered with whatever came', async () => {
    const host = await serve((request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => {
        response
          .writeHead(418, { 'x-said': [text, String(request.headers['x-secret'])] })
          .end('short and stout');
      });
    });
    const answer = await fetcher([host]).send(`http://${host}/`, sent);
    expect([answer.status, answer.headers.get('x-said'), await answer.text()]).toEqual([
      418,
      'asked, hush',
      'short and stout',
    ]);
  });

  it('goes to no private address, written, resolved or redirected to', async () => {
    let asked = 0;
    const inner = await serve((_request, response) => response.end(String(++asked)));
    const outer = await serve((_request, response) =>
      response.writeHead(307, { location: `http://${inner}/` }).end(),
    );
    const lookup = (_host: string, _options: unknown, answer: (error: null, found: unknown) => void) =>
      answer(null, [{ address: '127.0.0.1', family: 4 }]);
    for (const url of [`http://${inner}/`, `https://${inner}/`])
      await expect(fetcher([outer]).send(url, sent)).rejects.toThrow(FetchRefused);
    const port = inner.split(':')[1];
    const rebound = fetcher([], lookup as never).send(`https://rebound.example:${port}/`, sent);
    await expect(rebound).rejects.toThrow(FetchRefused);
    expect((await fetcher([outer]).send(`http://${outer}/`, sent)).status).toBe(307);
    expect(asked).toBe(0);
  });

  it('is answered up to a size', async () => {
    const host = await serve((_request, response) => response.end('x'.repeat(1_001)));
    await expect(fetcher([host]).send(`http://${host}/`, sent)).rejects.toThrow(/more than 1000 bytes/);
  });
});
