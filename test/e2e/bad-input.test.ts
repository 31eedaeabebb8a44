import { randomUUID } from 'node:crypto';
import type { Loci as LociServer, Reply, TestTenant } from '../support/loci.js';
import { Loci } from '../support/loci.js';
import { overWire, sendRaw, type RawRequest } from '../support/raw-request.js';
import { asSuperuser } from '../support/superuser.js';
import {
  BAD_BATCHES,
  BAD_BODIES,
  BAD_CONTENT,
  BAD_FIELDS,
  BAD_QUERIES,
  BAD_URLS,
  badReferences,
  type BadRequest,
} from './bad-requests.js';

describe('bad input', () => {
  let loci: LociServer;
  let acme: TestTenant;
  let memory: string;

  beforeAll(async () => {
    loci = await Loci.start();
    acme = await loci.tenant();
    const { body } = await acme.post<{ memory_id: string }>('/memory', { content: 'What is really there' });
    memory = body.memory_id;
  });
  afterAll(() => loci.stop());

  const send = (request: RawRequest): Promise<Reply> =>
    sendRaw(loci.url, { ...request, headers: { Authorization: `Bearer ${acme.token}`, ...request.headers } });

  /** Everything that a refused request could have left behind. */
  const traces = (): Promise<unknown> =>
    asSuperuser(loci, async (client) => {
      const { rows } = await client.query<Record<string, unknown>>(
        `SELECT revision, memory_count, (SELECT count(*) FROM audit_records WHERE tenant_id = t.id) AS audited,
           (SELECT count(*) FROM memories WHERE tenant_id = t.id) AS memories,
           (SELECT count(*) FROM changes WHERE tenant_id = t.id) AS changes,
           (SELECT count(*) FROM relations WHERE tenant_id = t.id) AS relations,
           (SELECT count(*) FROM idempotency_keys WHERE tenant_id = t.id) AS idempotent
         FROM tenants t WHERE id = $1`,
        [acme.id],
      );
      return rows;
    });

  describe.each<[string, () => BadRequest[]]>([
    ['in a content', () => BAD_CONTENT],
    ['in a field', () => BAD_FIELDS],
    ['as a body', () => BAD_BODIES],
    ['in a batch', () => BAD_BATCHES],
    ['in a query', () => BAD_QUERIES],
    ['as a URL', () => BAD_URLS],
    ['as a reference', () => badReferences({ memory })],
  ])('%s', (_where, requests) => {
    it('is refused in words that stay the same, and stores nothing', async () => {
      const before = await traces();
      const told: string[] = [];
      const expected: string[] = [];
      for (const [name, request, status, code] of requests()) {
        const reply = await send(request);
        told.push(`${name}: ${reply.status} ${String(reply.body['code'])}`);
        expected.push(`${name}: ${status} ${code}`);
        expect([name, reply.headers.get('content-type')]).toEqual([
          name,
          'application/problem+json; charset=utf-8',
        ]);
        expect([name, problemShape(reply)]).toEqual([name, true]);
      }
      expect(told).toEqual(expected);
      expect(await traces()).toEqual(before);
    }, 180_000);
  });

  it('names the place of every fault', async () => {
    const { body } = await acme.post('/memory', { content: '', importance: 2, tags: ['a', ''], colour: 1 });
    expect(body['errors']).toEqual([
      { location: 'body.colour', message: 'is not a known field' },
      { location: 'body.content', message: 'must not be empty' },
      { location: 'body.importance', message: 'must be a number from 0 to 1' },
      { location: 'body.tags[1]', message: 'must not be empty' },
    ]);
  });

  it('is told by its method where the path has others', async () => {
    const { headers } = await send({ method: 'PUT', path: '/recall' });
    expect(headers.get('allow')).toBe('GET, HEAD, POST');
  });

  it.each([
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['a method that nobody knows', 'REMEMBER /memory HTTP/1.1\r\nHost: loci\r\n\r\n'],
    ['a length that is no number', 'POST /memory HTTP/1.1\r\nHost: loci\r\nContent-Length: long\r\n\r\n'],
    [
      'two ways to tell where the body ends',
      'POST /memory HTTP/1.1\r\nHost: loci\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'a chunk without a length',
      'POST /memory HTTP/1.1\r\nHost: loci\r\nTransfer-Encoding: chunked\r\n\r\nlong\r\n{}\r\n0\r\n\r\n',
    ],
  ])('that is %s is told so as everything else is', async (_, sent) => {
    const answer = await overWire(loci.url, sent);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(head).toContain('\r\nContent-Type: application/problem+json; charset=utf-8\r\n');
    const problem = JSON.parse(body) as { request_id: string };
    expect(problem).toMatchObject({ status: 400, code: 'request.malformed' });
    expect(head).toContain(`\r\nX-Request-Id: ${problem.request_id}\r\n`);
    expect((await acme.get(`/memory/${memory}`)).status).toBe(200);
  });

  it('behind one that is being answered does not get into its answer', async () => {
    const good = `GET /memory/${memory} HTTP/1.1\r\nHost: loci\r\nX-API-Key: ${acme.token}\r\n\r\n`;
    const answer = await overWire(loci.url, `${good}hello\r\n\r\n`);
    const heads = answer.split('\r\n').filter((line) => line.startsWith('HTTP/1.1 '));
    expect(heads).toHaveLength(1);
  });

  it('with the id of a memory is that memory again where the body is the same', async () => {
    const order = { id: randomUUID(), content: 'Sent twice', tags: ['twice'] };
    expect(await acme.post('/memory', order)).toMatchObject({ status: 201, body: { created: true } });
    expect(await acme.post('/memory', order)).toMatchObject({
      status: 200,
      body: { memory_id: order.id, created: false },
    });
    const other = { ...order, content: 'Sent otherwise' };
    expect(await acme.post('/memory', other)).toMatchObject({
      status: 409,
      body: { code: 'memory.conflict' },
    });
    expect((await acme.get<{ memory: object }>(`/memory/${order.id}`)).body.memory).toMatchObject({
      content: 'Sent twice',
    });
  });

  it('with the id that was made for another is refused, whatever else it says', async () => {
    const order = { content: 'Named by the server', timestamp: '2026-01-01T00:00:00Z' };
    const { body } = await acme.post<{ memory_id: string }>('/memory', order);
    expect(await acme.post('/memory', { ...order, id: body.memory_id })).toMatchObject({
      status: 409,
      body: { code: 'memory.conflict' },
    });
  });

  it('of one id twice in a batch stores the first and names the second', async () => {
    const id = randomUUID();
    const same = { id, content: 'Once', timestamp: '2026-01-01T00:00:00Z' };
    const { status, body } = await acme.post('/memory/batch', {
      memories: [same, same, { id, content: 'Another' }],
    });
    expect(status).toBe(207);
    expect(body).toMatchObject({
      status: 'partial',
      stored: 2,
      memory_ids: [id, id],
      failed: [{ index: 2, code: 'memory.conflict' }],
    });
  });

  it('is not what a fraction is that only a double can hold: it is zero', async () => {
    const tiny = { importance: 5e-324, confidence: 1e-60 };
    const { status, body } = await acme.post<{ memory_id: string }>('/memory', { content: 'Tiny', ...tiny });
    expect(status).toBe(201);
    const shown = await acme.patch(`/memory/${body.memory_id}`, { importance: 1e-50 });
    expect(shown).toMatchObject({ status: 200, body: { memory: { importance: 0, confidence: 0 } } });
    const ends = { memory1_id: memory, memory2_id: body.memory_id, type: 'RELATES_TO' };
    expect((await acme.post('/associate', { ...ends, strength: 5e-324 })).status).toBe(201);
  });

  it('beside good ones in a batch keeps those', async () => {
    const { status, body } = await acme.post('/memory/batch', {
      memories: [
        { content: 'Good' },
        { content: '' },
        { content: 'Good too', importance: 7 },
        { content: 'Fine' },
      ],
    });
    expect(status).toBe(207);
    expect(body).toMatchObject({
      stored: 2,
      failed: [
        { index: 1, code: 'request.invalid', errors: [{ location: 'body.memories[1].content' }] },
        { index: 2, code: 'request.invalid', errors: [{ location: 'body.memories[2].importance' }] },
      ],
    });
  });
});

function problemShape({ status, headers, body }: Reply): boolean {
  const { type, title, detail, code, request_id } = body;
  return (
    body['status'] === status &&
    type === `/errors/${String(code)}` &&
    [title, detail].every((text) => typeof text === 'string' && text.length > 0) &&
    request_id === headers.get('x-request-id')
  );
}
