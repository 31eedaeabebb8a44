import type { Embedder } from '../../src/models/embedder.js';
import { EmbedderUnavailable } from '../../src/models/models.errors.js';

const sentences = [
  'Mira moved to Lisbon in the spring.',
  'The invoice is due on the first of March.',
  'Her brother plays the cello.',
  'A tea without sugar, please.',
];

const oddTexts = {
  'nothing at all': '',
  'only spaces': '   \n\t  ',
  emoji: '🏛️👩‍👩‍👧‍👦 🎉🎉',
  Arabic: 'انتقلت ميرا إلى لشبونة في الربيع',
  Chinese: '米拉在春天搬到了里斯本',
  'a lone surrogate': 'half \ud83c of a character',
  'a NUL': 'before\u0000after',
  '64 KB of words': 'the old house by the river '.repeat(2428),
  '64 KB without a space': 'x'.repeat(65_536),
  '64 KB of spaces': ' '.repeat(65_536),
  '64 KB of emoji': '🎉'.repeat(16_384),
};

/** What every embedder promises. `make` starts one; the suite closes it. */
export function embedderContract(name: string, make: () => Promise<Embedder>): void {
  describe(`the embedder ${name}`, () => {
    let embedder: Embedder;
    beforeAll(async () => {
      embedder = await make();
    });
    afterAll(() => embedder.close());

    async function alone(text: string): Promise<number[]> {
      const [vector] = await embedder.embed([text], 'bulk');
      return [...(vector ?? [])];
    }

    it('gives vectors of unit length and of the dimensions it names', async () => {
      const vectors = await embedder.embed(sentences, 'bulk');
      expect(vectors).toHaveLength(sentences.length);
      for (const vector of vectors) {
        expect(vector).toHaveLength(embedder.model.dimensions);
        expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
      }
    });

    it('gives them in the order of the texts, each as it would be alone', async () => {
      const many = Array.from({ length: 150 }, (_, i) => `${sentences[i % 4]} That was number ${i}.`);
      const vectors = await embedder.embed(many, 'bulk');
      for (const i of [0, 1, 77, 149]) expect([...(vectors[i] ?? [])]).toEqual(await alone(many[i] ?? ''));
      expect(new Set(vectors.map((vector) => vector.join())).size).toBe(many.length);
    });

    it('gives equal texts equal vectors, whatever the company and the urgency', async () => {
      const [tea] = await embedder.embed(['A tea without sugar, please.'], 'query');
      const [, , , amongOthers] = await embedder.embed(sentences, 'bulk');
      const [first, second] = await embedder.embed(['twice', 'twice'], 'query');
      expect(amongOthers).toEqual(tea);
      expect(second).toEqual(first);
    });

    it('keeps the calls of many at once apart', async () => {
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, i) => embedder.embed([`call ${i}`], i % 2 ? 'query' : 'bulk')),
      );
      expect([...(answers[17]?.[0] ?? [])]).toEqual(await alone('call 17'));
      expect(new Set(answers.map(([vector]) => vector?.join())).size).toBe(40);
    });

    it('gives nothing for nothing', async () => {
      await expect(embedder.embed([], 'query')).resolves.toEqual([]);
      await expect(embedder.embed([], 'bulk')).resolves.toEqual([]);
    });

    it('answers a query before the bulk that came first', async () => {
      const order: string[] = [];
      const bulk = embedder.embed(
        Array.from({ length: 300 }, (_, i) => `bulk ${i}`),
        'bulk',
      );
      const query = embedder.embed(['somebody waits for this'], 'query');
      await Promise.all([bulk.then(() => order.push('bulk')), query.then(() => order.push('query'))]);
      expect(order).toEqual(['query', 'bulk']);
    });

    it.each(Object.entries(oddTexts))('embeds %s', async (_, text) => {
      const [vector] = await embedder.embed([text], 'query');
      expect(vector).toHaveLength(embedder.model.dimensions);
      expect(Math.hypot(...(vector ?? []))).toBeCloseTo(1, 5);
    });

    it('says that it answers', async () => {
      await expect(embedder.ping()).resolves.toBeUndefined();
    });
  });

  describe(`the embedder ${name}, closing`, () => {
    it('refuses what waits and what comes later, and may be closed twice', async () => {
      const embedder = await make();
      const waiting = embedder.embed(
        Array.from({ length: 300 }, (_, i) => `bulk ${i}`),
        'bulk',
      );
      const refused = expect(waiting).rejects.toBeInstanceOf(EmbedderUnavailable);
      await embedder.close();
      await refused;
      await expect(embedder.embed(['too late'], 'query')).rejects.toMatchObject({
        code: 'model.unavailable',
      });
      await expect(embedder.ping()).rejects.toBeInstanceOf(EmbedderUnavailable);
      await embedder.close();
    });
  });
}
