import fc from 'fast-check';
import { cutText, estimateTokens, textBatches } from '../../src/models/openai/text-batches.js';

const limits = { texts: 5, tokens: 40 };

it('batches hold every text once, in order, and no batch of several is beyond the limits', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 200 })), (texts) => {
      const batches = textBatches(texts, limits);
      expect(batches.flat()).toEqual(texts);
      for (const batch of batches) {
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(limits.texts);
        const tokens = batch.reduce((sum, text) => sum + estimateTokens(text), 0);
        expect(batch.length === 1 || tokens <= limits.tokens).toBe(true);
      }
    }),
  );
});

it('a cut text is the start of the text, within the limit, and cuts no character in two', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.integer({ min: 1, max: 30 }),
      (text, tokens) => {
        const cut = cutText(text, tokens);
        expect(text.startsWith(cut)).toBe(true);
        expect(estimateTokens(cut)).toBeLessThanOrEqual(tokens);
        if (estimateTokens(text) > tokens) expect(Buffer.byteLength(cut)).toBeGreaterThan(tokens * 3 - 4);
      },
    ),
  );
});
