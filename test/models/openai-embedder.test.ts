import { OpenAiEmbedder, type OpenAiEmbedderOptions } from '../../src/models/openai/openai-embedder.js';
import { EmbedderUnavailable } from '../../src/models/models.errors.js';
import { embedderContract } from '../contracts/embedder.contract.js';
import { DIMENSIONS, EmbeddingsEndpoint, type Fault } from './embeddings-endpoint.js';

const apiKey = 'sk-this-must-never-be-seen';
/** Short, so that a suite does not wait; in these proportions they are what the defaults are. */
const limits = {
  query: { requests: 2, attemptMs: 300, deadlineMs: 1_500 },
  bulk: { requests: 2, attemptMs: 500, deadlineMs: 3_000 },
};

let endpoint: EmbeddingsEndpoint;
beforeAll(async () => {
  endpoint = await EmbeddingsEndpoint.start();
});
afterAll(() => endpoint.stop());

function start(options: Partial<OpenAiEmbedderOptions> = {}): Promise<OpenAiEmbedder> {
  return OpenAiEmbedder.start({
    baseUrl: endpoint.baseUrl,
    apiKey,
    model: 'some-model',
    dimensions: DIMENSIONS,
    batch: { texts: 50, tokens: 30_000 },
    ...options,
  });
}

embedderContract("OpenAI's protocol", () => start());

describe("OpenAI's protocol", () => {
  let embedder: OpenAiEmbedder;
  beforeEach(async () => {
    embedder = await start({ limits });
    endpoint.seen.length = 0;
    endpoint.faults.length = 0;
    endpoint.load.most = 0;
    endpoint.refuses = () => false;
  });
  afterEach(() => embedder.close());

  async function failure(embedding: Promise<unknown>): Promise<EmbedderUnavailable> {
    const error: unknown = await embedding.then(
      () => null,
      (reason: unknown) => reason,
    );
    if (!(error instanceof EmbedderUnavailable)) throw new Error(`Not refused: ${String(error)}`);
    return error;
  }

  it('asks with the key and the model', async () => {
    await embedder.embed(['a text'], 'query');
    expect(endpoint.seen).toMatchObject([
      { input: ['a text'], model: 'some-model', authorization: `Bearer ${apiKey}` },
    ]);
  });

  it('asks without a key where none is set: a local endpoint needs none', async () => {
    const keyless = await start({ apiKey: '' });
    await keyless.embed(['a text'], 'query');
    expect(endpoint.seen).toMatchObject([{ input: ['a text'], authorization: undefined }]);
    await keyless.close();
  });

  it('asks once for the dimensions where nobody names them', async () => {
    const asking = await OpenAiEmbedder.start({ baseUrl: endpoint.baseUrl, apiKey, model: 'some-model' });
    expect(asking.model).toEqual({ name: 'some-model', dimensions: DIMENSIONS });
    expect(endpoint.seen).toHaveLength(1);
    await asking.close();
  });

  it('cannot start without knowing the dimensions', async () => {
    const nobody = OpenAiEmbedder.start({
      baseUrl: 'http://127.0.0.1:1/v1',
      apiKey,
      model: 'some-model',
      limits,
    });
    expect((await failure(nobody)).details.internal).toContain('no connection');
  });

  it('sends as much at once as one request may hold, by texts and by tokens', async () => {
    await embedder.embed(
      Array.from({ length: 120 }, (_, i) => `text ${i}`),
      'bulk',
    );
    expect(endpoint.seen.map(({ input }) => input.length).sort()).toEqual([20, 50, 50]);
    endpoint.seen.length = 0;
    await embedder.embed(
      Array.from({ length: 4 }, (_, i) => `${i}`.padEnd(30_000, ' word')),
      'bulk',
    );
    expect(endpoint.seen.map(({ input }) => input.length)).toEqual([3, 1]);
    expect(Buffer.byteLength(endpoint.seen[0]?.input[0] ?? '')).toBe(24_000);
  });

  it('has requests of its own for queries, and a bound on both', async () => {
    const bulk = embedder.embed(
      Array.from({ length: 1_000 }, (_, i) => `bulk ${i}`),
      'bulk',
    );
    await Promise.all(Array.from({ length: 10 }, (_, i) => embedder.embed([`query ${i}`], 'query')));
    expect(endpoint.seen.filter(({ input }) => input[0]?.startsWith('bulk')).length).toBeLessThan(20);
    await bulk;
    expect(endpoint.load.most).toBe(4);
  });

  it.each<[string, Fault[]]>([
    ['429', [{ kind: 'status', status: 429 }]],
    [
      '500, twice',
      [
        { kind: 'status', status: 500 },
        { kind: 'status', status: 500 },
      ],
    ],
    [
      'a reply that is no JSON',
      [{ kind: 'status', status: 200, headers: { 'content-type': 'application/json' }, body: '<html>' }],
    ],
    ['a cut connection', [{ kind: 'cut the connection' }]],
    ['silence', [{ kind: 'hang' }]],
    ['a reply that stops in the middle', [{ kind: 'hang in the body' }]],
  ])('tries again after %s', async (_, faults) => {
    endpoint.faults.push(...faults);
    await expect(embedder.embed(['a text'], 'query')).resolves.toHaveLength(1);
    expect(endpoint.seen).toHaveLength(faults.length + 1);
  });

  it('waits as long as the endpoint asks for', async () => {
    endpoint.faults.push({ kind: 'status', status: 429, headers: { 'retry-after': '1' } });
    await embedder.embed(['a text'], 'query');
    const [first, second] = endpoint.seen;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(990);
  });

  it('gives up at once where the endpoint asks for more time than there is, and says how long', async () => {
    endpoint.faults.push({ kind: 'status', status: 503, headers: { 'retry-after': '30' } });
    const error = await failure(embedder.embed(['a text'], 'query'));
    expect(error.details).toMatchObject({
      retryAfter: 30,
      internal: expect.stringContaining('HTTP 503') as string,
    });
    expect(endpoint.seen).toHaveLength(1);
  });

  it('gives up at the deadline', async () => {
    endpoint.faults.push(...Array.from({ length: 20 }, (): Fault => ({ kind: 'hang' })));
    const started = Date.now();
    await failure(embedder.embed(['a text'], 'query'));
    expect(Date.now() - started).toBeLessThan(limits.query.deadlineMs + 500);
    expect(endpoint.seen.length).toBeGreaterThan(1);
  });

  it.each<[string, (data: { index: number; embedding: number[] }[]) => unknown, string]>([
    ['too few vectors', (data) => data.slice(1), 'other than 2 vectors'],
    ['too many vectors', (data) => [...data, ...data], 'other than 2 vectors'],
    ['one vector twice', (data) => [data[0], data[0]], 'no vector with index 0'],
    [
      'vectors that are too short',
      (data) => data.map((one) => ({ ...one, embedding: [1, 2] })),
      '2 dimensions',
    ],
    [
      'a vector of zeros',
      (data) => data.map((one) => ({ ...one, embedding: one.embedding.map(() => 0) })),
      'direction',
    ],
    [
      'words for numbers',
      (data) => data.map((one) => ({ ...one, embedding: one.embedding.map(() => 'x') })),
      'direction',
    ],
    ['no list', () => null, 'other than 2 vectors'],
  ])('does not take %s', async (_, change, reason) => {
    endpoint.faults.push({ kind: 'change', change });
    const error = await failure(embedder.embed(['one', 'two'], 'bulk'));
    expect(error.details.internal).toContain(reason);
    expect(endpoint.seen).toHaveLength(1);
  });

  it('does not let one refused text fail the others, and sends it again shorter', async () => {
    endpoint.refuses = (text) => text.length > 10_000;
    const texts = ['one', 'two', 'x'.repeat(15_000), 'four'];
    const vectors = await embedder.embed(texts, 'bulk');
    expect(vectors).toHaveLength(4);
    expect(vectors[3]).toEqual((await embedder.embed(['four'], 'query'))[0]);
    expect(vectors[2]).toEqual((await embedder.embed(['x'.repeat(7_500)], 'query'))[0]);
  });

  it.each([400, 401, 403, 404])('does not try again after %i', async (status) => {
    endpoint.faults.push({ kind: 'status', status });
    expect((await failure(embedder.embed(['a text'], 'query'))).details.internal).toContain(`HTTP ${status}`);
    expect(endpoint.seen).toHaveLength(1);
  });

  it('tells neither the key nor a text, whatever the endpoint writes', async () => {
    const body = JSON.stringify({
      error: { message: `Incorrect key ${apiKey} for: my secret`, code: apiKey },
    });
    endpoint.faults.push({
      kind: 'status',
      status: 401,
      headers: { 'content-type': 'application/json' },
      body,
    });
    const error = await failure(embedder.embed(['my secret'], 'query'));
    const everything = [
      error.message,
      error.stack,
      JSON.stringify(error.details),
      String(error.cause),
    ].join();
    expect(everything).not.toContain(apiKey);
    expect(everything).not.toContain('my secret');
  });

  it('does not carry the key to where it is sent on', async () => {
    const elsewhere = await EmbeddingsEndpoint.start();
    endpoint.faults.push(
      ...Array.from({ length: 20 }, (): Fault => {
        return { kind: 'status', status: 307, headers: { location: `${elsewhere.baseUrl}/embeddings` } };
      }),
    );
    await failure(embedder.embed(['a text'], 'query'));
    expect(elsewhere.seen).toEqual([]);
    await elsewhere.stop();
  });
});
