import { createHmac } from 'node:crypto';
import { QdrantStandIn } from '../../support/qdrant/stand-in.js';
import { scratchFolder } from '../../support/scratch-folder.js';

type Body = Record<string, unknown>;

const A = '00000000-0000-4000-8000-00000000000a';
const B = '00000000-0000-4000-8000-00000000000b';
const CONFIG = {
  vectors: { dense: { size: 2, distance: 'Cosine' } },
  sparse_vectors: { words: { modifier: 'idf' } },
};

describe('the stand-in for Qdrant', () => {
  let server: QdrantStandIn;
  const ask = async (method: string, path: string, body?: Body, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${server.url}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const parsed = text === '' ? {} : (JSON.parse(text) as { result?: unknown; status?: { error?: string } });
    return { status: answer.status, result: parsed.result as never, error: parsed.status?.error ?? '' };
  };
  const upsert = (points: Body[], more: Body = {}) =>
    ask('PUT', '/collections/c/points?wait=true', { points, ...more });
  const found = async (query: Body): Promise<[string, number][]> => {
    const { result } = await ask('POST', '/collections/c/points/query', query);
    return (result as { points: { id: string; score: number }[] }).points.map(({ id, score }) => [id, score]);
  };

  beforeEach(async () => {
    server = await QdrantStandIn.start();
  });
  afterEach(() => server.close());

  describe("judges requests by Qdrant's own description", () => {
    beforeEach(async () => {
      // Where the description is not there, nothing is judged, and `find()` has said so.
      await ask('PUT', '/collections/c', CONFIG);
    });

    it.each<[string, string, string, Body]>([
      ['a field that is unknown', 'POST', '/collections/c/points/count', { filtre: {} }],
      ['a field of another kind', 'POST', '/collections/c/points/scroll', { limit: 'many' }],
      [
        'an optional field that is neither right nor null',
        'POST',
        '/collections/c/points/query',
        { filter: 7 },
      ],
      ['a clause that is unknown', 'POST', '/collections/c/points/query', { filter: { musst: [] } }],
      [
        'a match that is unknown',
        'POST',
        '/collections/c/points/count',
        { filter: { must: [{ key: 'a', match: { is: 1 } }] } },
      ],
      [
        'a match deep in a batch',
        'POST',
        '/collections/c/points/query/batch',
        { searches: [{ prefetch: [{ filter: { must: { key: 'a', match: {} } } }] }] },
      ],
      ['a missing field', 'POST', '/collections/c/points', {}],
      ['an id that is none', 'POST', '/collections/c/points', { ids: ['a'] }],
      [
        'a negative sparse index',
        'POST',
        '/collections/c/points/query',
        { query: { indices: [-1], values: [1] } },
      ],
      [
        'a sparse index beyond 32 bits',
        'POST',
        '/collections/c/points/query',
        { query: { indices: [2 ** 32], values: [1] } },
      ],
      ['a point without vectors', 'PUT', '/collections/c/points', { points: [{ id: A }] }],
      [
        'an operation that is unknown',
        'POST',
        '/collections/c/points/batch',
        { operations: [{ upsret: { points: [] } }] },
      ],
      ['a distance that is unknown', 'PUT', '/collections/d', { vectors: { size: 2, distance: 'Cosinus' } }],
      [
        'an index that is unknown',
        'PUT',
        '/collections/c/index',
        { field_name: 'a', field_schema: { type: 'word' } },
      ],
      ['a parameter that is unknown', 'POST', '/collections/c/points/count?exact=true', {}],
      ['a parameter of another kind', 'PUT', '/collections/c/points?wait=maybe', { points: [] }],
    ])('and refuses %s', async (_, method, path, body) => {
      if (server.description === null) return;
      const { status, error } = await ask(method, path, body);
      expect(error).toContain('Not as Qdrant describes');
      expect(status).toBe(422);
    });

    it('works without the description', async () => {
      const before = process.env['QDRANT_OPENAPI'];
      process.env['QDRANT_OPENAPI'] = '/nowhere/openapi.json';
      const warned = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
      const notes = process.env['LOCI_TEST_NOTES'];
      delete process.env['LOCI_TEST_NOTES'];
      try {
        const alone = await QdrantStandIn.start();
        expect(alone.description).toBeNull();
        expect(warned).toHaveBeenCalledWith(expect.stringContaining('OpenAPI'));
        const answer = await fetch(`${alone.url}/collections/c/exists`);
        expect(await answer.json()).toMatchObject({ result: { exists: false }, status: 'ok' });
        await alone.close();
      } finally {
        warned.mockRestore();
        if (before === undefined) delete process.env['QDRANT_OPENAPI'];
        else process.env['QDRANT_OPENAPI'] = before;
        if (notes !== undefined) process.env['LOCI_TEST_NOTES'] = notes;
      }
    });
  });

  describe('answers as Qdrant does', () => {
    beforeEach(async () => {
      expect((await ask('PUT', '/collections/c', CONFIG)).status).toBe(200);
    });

    it('404 for what is not there, 409 for what is, 400 for what does not fit', async () => {
      expect(await ask('GET', '/collections/none')).toMatchObject({
        status: 404,
        error: "Not found: Collection `none` doesn't exist!",
      });
      expect((await ask('PUT', '/collections/c', CONFIG)).status).toBe(409);
      expect((await ask('DELETE', '/collections/none')).result).toBe(false);
      expect((await upsert([{ id: A, vector: { dense: [1, 2, 3] } }])).error).toContain(
        'expected dim: 2, got 3',
      );
      expect((await upsert([{ id: A, vector: { other: [1, 2] } }])).error).toContain(
        'Not existing vector name',
      );
      expect((await ask('PATCH', '/collections/c', {})).status).toBe(404);
    });

    it('replaces a point whole, and only where the filter lets it', async () => {
      await upsert([{ id: A, vector: { dense: [3, 4] }, payload: { n: 1, old: true } }]);
      const older = { update_filter: { must: [{ key: 'n', range: { lt: 1 } }] } };
      await upsert(
        [
          { id: A, vector: {}, payload: { n: 0 } },
          { id: B, vector: {}, payload: { n: 0 } },
        ],
        older,
      );
      const points = async () => (await ask('POST', '/collections/c/points', { ids: [A, B] })).result;
      expect(await points()).toEqual([
        { id: A, payload: { n: 1, old: true } },
        { id: B, payload: { n: 0 } },
      ]);
      await upsert([{ id: A, vector: {}, payload: { n: 2 } }]);
      expect(await points()).toContainEqual({ id: A, payload: { n: 2 } });
      expect(await found({ query: [3, 4], using: 'dense' })).toEqual([]);
    });

    it('merges a payload into what a filter finds, and makes nothing', async () => {
      await upsert([{ id: A, vector: {}, payload: { n: 1, m: 1 } }]);
      for (const n of [1, 7]) {
        const filter = { must: [{ has_id: [A, B] }, { key: 'n', match: { value: n } }] };
        await ask('POST', '/collections/c/points/payload?wait=true', { payload: { m: n + 1 }, filter });
      }
      expect((await ask('POST', '/collections/c/points', { ids: [A, B] })).result).toEqual([
        { id: A, payload: { n: 1, m: 2 } },
      ]);
    });

    it('scores words by how rare they are among the points that have any', async () => {
      const words = (...indices: number[]) => ({ words: { indices, values: indices.map(() => 2) } });
      await upsert([
        { id: A, vector: words(1, 2), payload: { w: 'x' } },
        { id: B, vector: words(2), payload: { w: 'y' } },
        { id: '00000000-0000-4000-8000-00000000000c', vector: { dense: [1, 0] } },
      ]);
      const query = { indices: [1, 2], values: [1, 3] };
      const idf = (n: number, df: number): number => Math.log((n - df + 0.5) / (df + 0.5) + 1);
      expect(await found({ query, using: 'words' })).toEqual([
        [A, expect.closeTo(2 * idf(2, 1) + 6 * idf(2, 2), 5)],
        [B, expect.closeTo(6 * idf(2, 2), 5)],
      ]);
      const corpus = { must: [{ key: 'w', match: { value: 'y' } }] };
      expect((await found({ query, using: 'words', params: { idf: { corpus } } }))[1]).toEqual([
        B,
        expect.closeTo(6 * idf(1, 1), 5),
      ]);
    });

    it('scores what its prefetches found, and nothing else', async () => {
      await upsert([
        { id: A, vector: { dense: [1, 0], words: { indices: [1], values: [1] } } },
        { id: B, vector: { dense: [0, 1] } },
      ]);
      const prefetch = { query: { indices: [1], values: [1] }, using: 'words' };
      expect(await found({ query: [0, 5], using: 'dense', prefetch })).toEqual([[A, 0]]);
      expect(await found({ query: [0, 5], using: 'dense' })).toEqual([
        [B, 1],
        [A, 0],
      ]);
    });

    it('orders by a field only where it is indexed', async () => {
      const query = { query: { order_by: { key: 'n', direction: 'desc' } } };
      expect((await ask('POST', '/collections/c/points/query', query)).error).toContain('No range index');
      const field_schema = { type: 'integer', lookup: false, range: true };
      await ask('PUT', '/collections/c/index?wait=true', { field_name: 'n', field_schema });
      await upsert([
        { id: A, vector: {}, payload: { n: 1 } },
        { id: B, vector: {}, payload: { n: 2 } },
      ]);
      expect((await found(query)).map(([id]) => id)).toEqual([B, A]);
    });

    it('does the operations of a batch in order, up to the first that fails', async () => {
      const operations = [
        { upsert: { points: [{ id: A, vector: {} }] } },
        { upsert: { points: [{ id: B, vector: { dense: [1] } }] } },
        { delete: { points: [A] } },
      ];
      expect((await ask('POST', '/collections/c/points/batch?wait=true', { operations })).status).toBe(400);
      expect((await ask('POST', '/collections/c/points/count', {})).result).toEqual({ count: 1 });
    });

    it('keeps what it was told to keep, and loses the tail that it is told to lose', async () => {
      const folder = await scratchFolder();
      const lasting = await QdrantStandIn.start({ folder: folder.path });
      lasting.add('c', CONFIG);
      for (const id of [A, B]) {
        lasting.change('c', {
          kind: 'update',
          operation: { upsert: { points: [{ id, vector: { dense: [1, 0] } }] } },
        });
      }
      await lasting.close();
      const again = await QdrantStandIn.start({ folder: folder.path });
      expect(again.collections.get('c')?.points.size).toBe(2);
      again.loseTail('c', 1);
      await again.close();
      const third = await QdrantStandIn.start({ folder: folder.path });
      expect([...(third.collections.get('c')?.points.keys() ?? [])]).toEqual([A]);
      await third.close();
      await folder.remove();
    });
  });

  describe('asks who is there', () => {
    const key = 'secret';
    const token = (claims: Body, signedWith = key, alg = 'HS256'): Record<string, string> => {
      const part = (content: Body) => Buffer.from(JSON.stringify(content)).toString('base64url');
      const signed = `${part({ alg, typ: 'JWT' })}.${part(claims)}`;
      const signature = createHmac('sha256', signedWith).update(signed).digest('base64url');
      return { authorization: `Bearer ${signed}.${signature}` };
    };
    const access = [{ collection: 'c', access: 'rw' }];
    const soon = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

    beforeEach(async () => {
      await server.close();
      server = await QdrantStandIn.start({ apiKey: key });
      server.add('c', CONFIG);
      server.add('d', CONFIG);
    });

    it.each<[string, number, Record<string, string>, string?]>([
      ['nobody', 401, {}],
      ['the key', 200, { 'api-key': key }],
      ['another key', 401, { 'api-key': 'other' }],
      ['a token for this collection', 200, token({ access, exp: soon(60) })],
      ['a token for another collection', 403, token({ access, exp: soon(60) }), 'd'],
      ['a token that has ended', 403, token({ access, exp: soon(-60) })],
      ['a token that somebody else signed', 403, token({ access, exp: soon(60) }, 'other')],
      ['a token signed in another way', 401, token({ access, exp: soon(60) }, key, 'none')],
    ])('and answers %s with %s', async (_, status, headers, name = 'c') => {
      expect((await ask('POST', `/collections/${name}/points/count`, {}, headers)).status).toBe(status);
    });

    it('and lets no token make or delete a collection, nor one for reading write', async () => {
      const rw = token({ access, exp: soon(60) });
      expect((await ask('DELETE', '/collections/c', undefined, rw)).status).toBe(403);
      expect((await ask('PUT', '/collections/e', CONFIG, rw)).status).toBe(403);
      const r = token({ access: [{ collection: 'c', access: 'r' }], exp: soon(60) });
      expect((await ask('PUT', '/collections/c/points', { points: [] }, r)).status).toBe(403);
    });
  });
});
