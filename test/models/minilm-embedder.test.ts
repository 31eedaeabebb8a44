import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MiniLmEmbedder } from '../../src/models/embedded/minilm-embedder.js';
import { MiniLmThread } from '../../src/models/embedded/minilm-thread.js';
import { EmbedderUnavailable } from '../../src/models/models.errors.js';
import { embedderContract } from '../contracts/embedder.contract.js';
import { temporaryFolder } from './temporary-folder.js';

const cacheDir = temporaryFolder();

function cosine(a: Float32Array = new Float32Array(), b: Float32Array = new Float32Array()): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? NaN), 0);
}

embedderContract('MiniLM', () => MiniLmEmbedder.start({ cacheDir }));
embedderContract('MiniLM with two threads', () => MiniLmEmbedder.start({ cacheDir, workers: 2 }));

describe('MiniLM', () => {
  const texts = [
    'When did Caroline go to the support group?',
    'Caroline: I went to a support group yesterday and it was so powerful.',
    'The gearbox of the truck needs new oil.',
    'A man is playing a guitar.',
    'Someone plays an instrument.',
    'The stock market fell sharply on Monday.',
    'How do I reset my password?',
    'Steps to recover access to your account after forgetting your login',
    'Bananas ripen faster in a paper bag.',
  ];
  let vectors: Float32Array[];
  let embedder: MiniLmEmbedder;
  beforeAll(async () => {
    embedder = await MiniLmEmbedder.start({ cacheDir });
    vectors = await embedder.embed(texts, 'bulk');
  });
  afterAll(() => embedder.close());

  it.each([0, 3, 6])(
    'finds the sentence that is related to sentence %i far nearer than the one that is not',
    (i) => {
      const related = cosine(vectors[i], vectors[i + 1]);
      const unrelated = cosine(vectors[i], vectors[i + 2]);
      expect(related).toBeGreaterThan(0.4);
      expect(related - unrelated).toBeGreaterThan(0.35);
    },
  );

  it('agrees with the same model in full precision', async () => {
    const exact = await MiniLmEmbedder.start({ cacheDir, precision: 'fp32' });
    const exactVectors = await exact.embed(texts, 'bulk');
    await exact.close();
    expect(exact.model.name).not.toBe(embedder.model.name);
    texts.forEach((_, i) => expect(cosine(vectors[i], exactVectors[i])).toBeGreaterThan(0.97));
  });

  it('gives, in full precision, the similarities that its authors publish', async () => {
    const exact = await MiniLmEmbedder.start({ cacheDir, precision: 'fp32' });
    const [weather, sunny, stadium] = await exact.embed(
      ['The weather is lovely today.', "It's so sunny outside!", 'He drove to the stadium.'],
      'bulk',
    );
    await exact.close();
    // https://sbert.net/docs/sentence_transformer/usage/usage.html
    expect(cosine(weather, sunny)).toBeCloseTo(0.666, 3);
    expect(cosine(weather, stadium)).toBeCloseTo(0.1046, 3);
    expect(cosine(sunny, stadium)).toBeCloseTo(0.1411, 3);
  });

  it('gives the same vectors whether the model was kept or built in memory', async () => {
    const uncached = await MiniLmEmbedder.start({ cacheDir: null });
    const again = await uncached.embed(texts, 'bulk');
    await uncached.close();
    expect(again).toEqual(vectors);
  });

  it('raises GRAPH_VERSION with every change to the graph, as models kept by earlier starts would else not be built anew', () => {
    const hash = 'd2d30aeafbbb8e9a7b9a3dc6f613f843b54d68550ce343fcf24cb8ddaf4ebd0a';
    expect(readdirSync(cacheDir)).toContain(`minilm-l6-v2-int8.1.${hash}.onnx`);
  });

  it('cuts a text after 256 tokens', async () => {
    const words = Array.from({ length: 254 }, (_, i) => (i % 2 ? 'river' : 'house')).join(' ');
    const [full, longer, shorter] = await embedder.embed(
      [words, `${words} and much more about guitars`, words.replace('river ', '')],
      'bulk',
    );
    expect(longer).toEqual(full);
    expect(shorter).not.toEqual(full);
  });
});

describe('MiniLM, when its thread dies', () => {
  const threads: MiniLmThread[] = [];
  let embedder: MiniLmEmbedder;

  beforeEach(async () => {
    threads.length = 0;
    const start = MiniLmThread.start.bind(MiniLmThread);
    jest.spyOn(MiniLmThread, 'start').mockImplementation(async (options) => {
      const thread = await start(options);
      threads.push(thread);
      return thread;
    });
    embedder = await MiniLmEmbedder.start({ cacheDir });
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await embedder.close();
  });

  it('starts another one for the next text', async () => {
    await threads[0]?.end();
    await expect(embedder.embed(['the next text'], 'query')).resolves.toHaveLength(1);
    expect(threads.length).toBe(2);
  });

  it('embeds the text that was under it, and all that waited', async () => {
    const texts = Array.from({ length: 50 }, (_, i) => `text ${i}`);
    const expected = await embedder.embed(texts, 'bulk');
    const embedding = embedder.embed(texts, 'bulk');
    await threads[0]?.end();
    expect(await embedding).toEqual(expected);
  });

  it('gives a text up whose second thread dies too, and goes on with the others', async () => {
    const real = MiniLmThread.prototype.embed;
    jest.spyOn(MiniLmThread.prototype, 'embed').mockImplementation(async function (
      this: MiniLmThread,
      text,
      urgency,
    ) {
      if (text === 'deadly') void this.end();
      return real.call(this, text, urgency);
    });
    const deadly = expect(embedder.embed(['deadly'], 'bulk')).rejects.toBeInstanceOf(EmbedderUnavailable);
    const harmless = embedder.embed(['harmless'], 'bulk');
    await deadly;
    await expect(harmless).resolves.toHaveLength(1);
    await expect(embedder.embed(['afterwards'], 'query')).resolves.toHaveLength(1);
    expect(threads.length).toBe(3);
  });
});

it('says that the model cannot be loaded', async () => {
  const file = join(cacheDir, 'a-file');
  writeFileSync(file, '');
  await expect(MiniLmEmbedder.start({ cacheDir: file })).rejects.toBeInstanceOf(EmbedderUnavailable);
});
