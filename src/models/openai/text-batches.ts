/** The most that goes into one request. */
export interface BatchLimits {
  texts: number;
  /** Tokens as `estimateTokens` counts them. */
  tokens: number;
}

/**
 * About how many tokens a text is, without knowing the model's tokenizer: bytes in UTF-8, by three.
 * Some 1.3 times the truth for English, close to it for other scripts.
 */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 3);
}

/** The longest start of a text that is estimated at `tokens` or less. No character is cut in two. */
export function cutText(text: string, tokens: number): string {
  if (estimateTokens(text) <= tokens) return text;
  const start = Buffer.from(text).subarray(0, tokens * 3);
  // A character that was cut in two comes out as a replacement character.
  return start.toString().replace(/\uFFFD$/, '');
}

/** The texts in their order, as few batches as the limits allow. A text beyond them is a batch of its own. */
export function textBatches(texts: readonly string[], limits: BatchLimits): string[][] {
  const batches: string[][] = [];
  let batch: string[] = [];
  let tokens = 0;
  for (const text of texts) {
    const more = estimateTokens(text);
    if (batch.length > 0 && (batch.length >= limits.texts || tokens + more > limits.tokens)) {
      batches.push(batch);
      batch = [];
      tokens = 0;
    }
    batch.push(text);
    tokens += more;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
