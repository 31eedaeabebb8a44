import {
  BadRequestException,
  Body,
  Controller,
  Get,
  NotFoundException,
  Param,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import type { Response } from 'express';
import { request as rawRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Client, Pool } from 'pg';
import supertest from 'supertest';
import { DomainError } from '../../src/platform/errors/domain-error.js';
import { errorCodes } from '../../src/platform/errors/error-codes.js';
import { Int, JsonObject, ListOf, Tags, Text } from '../../src/platform/http/fields.js';
import { requestFacts } from '../../src/platform/http/request-facts.js';
import { platformApp } from '../support/platform-app.js';
import type { PlatformApp } from '../support/platform-app.js';

class Thing {
  @Text({ max: 65_536 })
  content!: string;

  @Tags({ optional: true })
  tags?: string[];

  @JsonObject({ optional: true })
  metadata?: Record<string, unknown>;
}

class Things {
  @ListOf(() => Thing, { max: 5_000 })
  things!: Thing[];
}

class Search {
  @Int({ min: 1, max: 100, optional: true })
  limit = 10;

  @Tags({ optional: true })
  tags?: string[];
}

class ThingNotFound extends DomainError<'memory.not_found'> {
  readonly code = 'memory.not_found';
}

class QuotaExceeded extends DomainError<'quota.exceeded'> {
  readonly code = 'quota.exceeded';
}

class TooFast extends DomainError<'rate.limited'> {
  readonly code = 'rate.limited';
}

@Controller()
class ThingsController {
  @Post(['things', 'v1/things'])
  store(@Body() thing: Thing, @Res({ passthrough: true }) response: Response): object {
    requestFacts(response).tenant = 'acme';
    requestFacts(response).actor = 'key:k1';
    return { ...thing };
  }

  @Post('memory/batch')
  storeMany(@Body() { things }: Things): object {
    return { stored: things.length };
  }

  @Get('v1/search')
  search(@Query() search: Search): object {
    return { ...search };
  }

  @Get('v1/things/:id')
  get(@Param('id') id: string): object {
    return { id };
  }

  @Get('fails/:how')
  async fail(@Param('how') how: string, @Res({ passthrough: true }) response: Response): Promise<object> {
    switch (how) {
      case 'missing':
        throw new ThingNotFound('No memory with that id.', { internal: 'm_1 belongs to t_b, asked by t_a' });
      case 'quota':
        throw new QuotaExceeded('No room.', { extra: { quota: 'max_memories', limit: 5, used: 5 } });
      case 'fast':
        throw new TooFast('Slow down.', { retryAfter: 0.3 });
      case 'nest-404':
        throw new NotFoundException('secret detail');
      case 'nest-400':
        throw new BadRequestException('Validation failed');
      case 'refused': {
        const client = new Client({ host: '127.0.0.1', port: 1, user: 'u', password: 'hunter2' });
        await client.connect();
        break;
      }
      case 'full': {
        const pool = new Pool({ host: '192.0.2.1', port: 5432, connectionTimeoutMillis: 20 });
        await pool.query('SELECT 1').finally(() => pool.end());
        break;
      }
      case 'stopping':
        throw Object.assign(new Error('terminating connection'), { driverError: { code: '57P01' } });
      case 'half':
        response.write('half an');
        throw new Error('broke off');
      default:
        throw Object.assign(new Error('the secret is 42'), {
          parameters: ['secret content'],
          cause: new Error('deep'),
        });
    }
    return {};
  }
}

describe('an error over HTTP', () => {
  let server: PlatformApp;
  let http: ReturnType<typeof supertest>;

  beforeAll(async () => {
    server = await platformApp({ controllers: [ThingsController] });
    http = supertest(server.app.getHttpServer());
  });

  afterAll(() => server.close());

  function expectProblem(reply: supertest.Response, code: keyof typeof errorCodes): void {
    expect(reply.body).toMatchObject({
      type: `/errors/${code}`,
      title: errorCodes[code].title,
      status: errorCodes[code].status,
      code,
      request_id: reply.headers['x-request-id'],
    });
    expect(reply.status).toBe(errorCodes[code].status);
    expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(typeof reply.body.detail).toBe('string');
  }

  it('of the domain tells its public message and not its internal one', async () => {
    const reply = await http.get('/fails/missing').set('X-Request-Id', 'req-1');
    expectProblem(reply, 'memory.not_found');
    expect(reply.body).toEqual({
      type: '/errors/memory.not_found',
      title: 'No such memory',
      status: 404,
      detail: 'No memory with that id.',
      code: 'memory.not_found',
      request_id: 'req-1',
    });
    const line = server.lines.find(({ request_id }) => request_id === 'req-1');
    expect(line).toMatchObject({ code: 'memory.not_found', internal: 'm_1 belongs to t_b, asked by t_a' });
  });

  it('carries the members of its own kind, and when to try again', async () => {
    const quota = await http.get('/fails/quota');
    expectProblem(quota, 'quota.exceeded');
    expect(quota.body).toMatchObject({ quota: 'max_memories', limit: 5, used: 5 });
    const fast = await http.get('/fails/fast');
    expectProblem(fast, 'rate.limited');
    expect(fast.headers['retry-after']).toBe('1');
  });

  it.each([
    ['a route that is not there', 'GET', '/nowhere', 'route.not_found'],
    ['a method that is not there', 'DELETE', '/v1/things', 'request.method_not_allowed'],
    ['a method that no route has', 'PROPFIND', '/v1/search', 'request.method_not_allowed'],
    ['a path that cannot be decoded', 'GET', '/v1/things/%E0%A4%A', 'request.malformed'],
    ['NUL in the path', 'GET', '/v1/things/a%00b', 'request.malformed'],
    ['a token in the URL', 'GET', '/v1/search?api_key=loci_live_x', 'request.token_in_url'],
    ['another one', 'GET', '/api/v1/search?limit=2&access_token=x', 'request.token_in_url'],
    ['a bad query', 'GET', '/v1/search?limit=ten', 'request.invalid'],
    ['an unknown query', 'GET', '/v1/search?limits=1', 'request.invalid'],
    ["Nest's own 404", 'GET', '/fails/nest-404', 'route.not_found'],
    ["Nest's own 400", 'GET', '/fails/nest-400', 'request.malformed'],
    ['a database that refuses', 'GET', '/fails/refused', 'ledger.unavailable'],
    ['a database that never answers', 'GET', '/fails/full', 'ledger.unavailable'],
    ['a database that stops', 'GET', '/fails/stopping', 'ledger.unavailable'],
    ['a surprise', 'GET', '/fails/surprise', 'server.internal'],
  ] as const)('for %s is a problem document', async (_, method, path, code) => {
    const { port } = server.app.getHttpServer().address() as AddressInfo;
    const reply = await new Promise<supertest.Response>((resolve, reject) => {
      // supertest knows neither PROPFIND nor paths that cannot be decoded.
      rawRequest({ port, host: '127.0.0.1', method, path }, (response) => {
        let text = '';
        response.on('data', (chunk) => (text += String(chunk)));
        response.on('end', () =>
          resolve({
            status: response.statusCode,
            headers: response.headers,
            text,
            body: JSON.parse(text),
          } as never),
        );
      })
        .on('error', reject)
        .end();
    });
    expectProblem(reply, code);
    expect(reply.text).not.toMatch(/secret|hunter2|loci_live_x|192\.0\.2/);
    if (reply.status === 503) expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('names the methods that a path does take', async () => {
    const reply = await http.put('/v1/things/1');
    expectProblem(reply, 'request.method_not_allowed');
    expect(reply.headers['allow']).toBe('GET, HEAD');
  });

  it('is logged with its stack where it is ours, without what it carried along', async () => {
    await http.get('/fails/surprise').set('X-Request-Id', 'req-surprise');
    const line = server.lines.find(
      ({ request_id, err }) => request_id === 'req-surprise' && err !== undefined,
    );
    expect(line?.['err']).toMatchObject({
      message: 'the secret is 42',
      stack: expect.stringContaining('at '),
      cause: { message: 'deep' },
    });
    expect(JSON.stringify(line)).not.toContain('secret content');
  });

  it('in the middle of an answer breaks the connection', async () => {
    await expect(http.get('/fails/half')).rejects.toThrow(/aborted|hang up/);
  });

  describe('of a body', () => {
    const post = (
      body: string | Buffer,
      headers: Record<string, string> = { 'Content-Type': 'application/json' },
    ) => {
      const sending = http.post('/things');
      for (const [name, value] of Object.entries(headers)) void sending.set(name, value);
      return sending.serialize((given: unknown) => given as string).send(body as never);
    };

    it.each<[string, string | Buffer, keyof typeof errorCodes, string | null]>([
      ['that is broken', '{"content": ', 'request.malformed', null],
      ['that is no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'request.malformed', null],
      ['that is a list', '[]', 'request.invalid', 'body'],
      ['that is empty', '', 'request.invalid', 'body.content'],
      ['with NUL', '{"content":"a\\u0000b"}', 'request.invalid', 'body.content'],
      [
        'with NUL deep inside',
        '{"content":"a","metadata":{"a":[{"b":"\\u0000"}]}}',
        'request.invalid',
        'body.metadata.a[0].b',
      ],
      ['with NUL in a key', '{"content":"a","metadata":{"\\u0000":1}}', 'request.invalid', 'body.metadata'],
      ['with half a surrogate pair', '{"content":"a","tags":["\\ud83d"]}', 'request.invalid', 'body.tags[0]'],
      [
        'with an infinite number',
        '{"content":"a","metadata":{"n":1e999}}',
        'request.invalid',
        'body.metadata.n',
      ],
      ['with __proto__', '{"content":"a","__proto__":{"tags":["x"]}}', 'request.invalid', 'body.__proto__'],
      [
        'of 10,000 tags',
        JSON.stringify({ content: 'a', tags: Array(10_000).fill('t') }),
        'request.invalid',
        'body.tags',
      ],
      [
        'that nests too deep',
        `{"content":"a","metadata":${'{"a":'.repeat(100)}1${'}'.repeat(101)}`,
        'request.invalid',
        null,
      ],
      ['that nests absurdly deep', '['.repeat(400_000) + ']'.repeat(400_000), 'request.invalid', null],
      [
        'of more than a megabyte',
        JSON.stringify({ content: 'x'.repeat(1_100_000) }),
        'request.too_large',
        null,
      ],
      [
        'with content beyond its limit',
        JSON.stringify({ content: 'x'.repeat(65_537) }),
        'request.invalid',
        'body.content',
      ],
    ])('%s is refused', async (_, body, code, location) => {
      const reply = await post(body);
      expectProblem(reply, code);
      if (location !== null) expect(reply.body.errors[0].location).toBe(location);
      expect(reply.text.length).toBeLessThan(2_000);
    });

    it.each([
      ['another kind', { 'Content-Type': 'text/xml' }],
      ['another charset', { 'Content-Type': 'application/json; charset=latin1' }],
      ['an unknown encoding', { 'Content-Type': 'application/json', 'Content-Encoding': 'snappy' }],
    ])('of %s is refused', async (_, headers) => {
      expectProblem(await post('{"content":"a"}', headers), 'request.unsupported_media');
    });

    it('that grows beyond the limit when unpacked is refused', async () => {
      const packed = gzipSync(JSON.stringify({ content: 'x'.repeat(2_000_000) }));
      const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' };
      expectProblem(await post(packed, headers), 'request.too_large');
      expectProblem(await post(Buffer.from('no gzip at all'), headers), 'request.malformed');
      expect((await post(gzipSync('{"content":"a"}'), headers)).body).toEqual({ content: 'a' });
    });

    it.each([
      ['JSON', { 'Content-Type': 'application/json; charset=UTF-8' }],
      ['a dialect of JSON', { 'Content-Type': 'application/vnd.api+json' }],
      ["curl's default", { 'Content-Type': 'application/x-www-form-urlencoded' }],
      ['nothing', { 'Content-Type': '' }],
    ])('declared as %s is read as JSON', async (_, headers) => {
      const reply = await post('{"content":"ع🌿","metadata":{"__proto__":{"a":1}}}', headers);
      expect(reply.status).toBe(201);
      expect(reply.text).toBe('{"content":"ع🌿","metadata":{"__proto__":{"a":1}}}');
    });

    it('may be large where many things are sent at once', async () => {
      const things = Array.from({ length: 3_000 }, () => ({ content: 'x'.repeat(1_000) }));
      const reply = await http.post('/memory/batch').send({ things });
      expect(reply.body).toEqual({ stored: 3_000 });
      const tooMuch = await http.post('/memory/batch').send({ things: 'x'.repeat(34_000_000) });
      expectProblem(tooMuch, 'request.too_large');
    });
  });
});

describe('every request', () => {
  let server: PlatformApp;
  let http: ReturnType<typeof supertest>;

  beforeAll(async () => {
    server = await platformApp({ controllers: [ThingsController] });
    http = supertest(server.app.getHttpServer());
  });

  afterAll(() => server.close());

  it.each(['/v1/search', '/api/v1/search', '/v1/search/', '/api/v1/search/'])(
    'finds its route as %s',
    async (path) => {
      const reply = await http.get(`${path}?limit=3&tags=a&tags=b`);
      expect(reply.body).toEqual({ limit: 3, tags: ['a', 'b'] });
    },
  );

  it('keeps a sane request id and replaces any other', async () => {
    expect((await http.get('/v1/search').set('X-Request-Id', 'a.b-c:1')).headers['x-request-id']).toBe(
      'a.b-c:1',
    );
    for (const id of ['with space', 'x'.repeat(129), '<script>']) {
      const { headers } = await http.get('/v1/search').set('X-Request-Id', id);
      expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it("carries helmet's headers and does not say what it is made of", async () => {
    const { headers } = await http.get('/v1/search');
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
    });
    expect(headers['strict-transport-security']).toMatch(/max-age=\d+/);
    expect(headers).not.toHaveProperty('x-powered-by');
  });

  it('leaves one line with its route and its facts, and none of its content', async () => {
    await http
      .post('/api/v1/things?limit=1')
      .set('X-Request-Id', 'line-1')
      .set('Authorization', 'Bearer hunter2')
      .send({ content: 'my secret' });
    await http.get('/v1/things/41?q=private').set('X-Request-Id', 'line-2');
    const [first, ...others] = server.lines.filter(({ request_id }) => request_id === 'line-1');
    expect(others).toEqual([]);
    expect(first).toMatchObject({
      level: 'info',
      msg: 'request',
      method: 'POST',
      route: '/v1/things',
      status: 201,
      request_id: 'line-1',
      tenant: 'acme',
      actor: 'key:k1',
      ms: expect.any(Number),
    });
    expect(server.lines.find(({ request_id }) => request_id === 'line-2')).toMatchObject({
      route: '/v1/things/:id',
    });
    expect(JSON.stringify(server.lines)).not.toMatch(/hunter2|my secret|private/);
  });

  it('is refused while the server stops, health excepted', async () => {
    const stopping = await platformApp({ controllers: [ThingsController] });
    try {
      stopping.state.beginStopping();
      const reply = await supertest(stopping.app.getHttpServer()).get('/v1/search');
      expect(reply.status).toBe(503);
      expect(reply.body.code).toBe('server.stopping');
      expect(reply.headers['retry-after']).toBe('2');
      expect((await supertest(stopping.app.getHttpServer()).get('/health/live')).status).toBe(200);
    } finally {
      await stopping.close();
    }
  });
});
