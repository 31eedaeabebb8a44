import type OpenAI from 'openai';
import type { EmbeddingModel } from '../../spaces/vector-space.js';
import { Embedder, type EmbeddingUrgency } from '../embedder.js';
import { EmbedderUnavailable, TextRefused } from '../models.errors.js';
import { callModel, ModelCallFailed, type CallLimits } from './model-call.js';
import { openAiClient } from './openai-client.js';
import { Slots } from './slots.js';
import { cutText, textBatches, type BatchLimits } from './text-batches.js';

/** Times in ms. */
export interface UrgencyLimits {
  /** Requests at once. */
  requests: number;
  /** One attempt, to the last byte of the reply. */
  attemptMs: number;
  /** A query: from the call on. A bulk batch: from when it is first sent. Retries included. */
  deadlineMs: number;
}

export interface OpenAiEmbedderOptions {
  /** Such as `https://api.openai.com/v1`. */
  baseUrl: string;
  apiKey: string;
  model: string;
  /** Length of the model's vectors. Left out: the endpoint is asked once, when starting. */
  dimensions?: number;
  batch?: BatchLimits;
  /** Texts are cut to this many tokens, as estimated. */
  maxTextTokens?: number;
  limits?: Record<EmbeddingUrgency, UrgencyLimits>;
}

const DEFAULT_BATCH: BatchLimits = { texts: 96, tokens: 30_000 };
/** OpenAI's models take 8,191. */
const DEFAULT_MAX_TEXT_TOKENS = 8_000;
const DEFAULT_LIMITS: Record<EmbeddingUrgency, UrgencyLimits> = {
  query: { requests: 8, attemptMs: 3_000, deadlineMs: 6_000 },
  bulk: { requests: 2, attemptMs: 20_000, deadlineMs: 60_000 },
};
/** A text that is refused is cut in half and sent again, as long as it has more tokens than this. */
const SMALLEST_CUT = 256;
const RETRY_AFTER_S = 5;

/**
 * Any endpoint that speaks OpenAI's embeddings protocol. Queries and bulk have requests of their own,
 * so a query never waits for a batch. Every failure is an `EmbedderUnavailable` that names its kind,
 * and never holds the key, a text, or what the endpoint wrote.
 */
export class OpenAiEmbedder extends Embedder {
  private readonly client: OpenAI;
  private readonly slots: Record<EmbeddingUrgency, Slots>;
  private readonly closing = new AbortController();

  private constructor(
    override readonly model: EmbeddingModel,
    client: OpenAI,
    private readonly batch: BatchLimits,
    private readonly maxTextTokens: number,
    private readonly limits: Record<EmbeddingUrgency, UrgencyLimits>,
  ) {
    super();
    this.client = client;
    this.slots = { query: new Slots(limits.query.requests), bulk: new Slots(limits.bulk.requests) };
  }

  /** Rejects with `EmbedderUnavailable` where the dimensions must be asked for and the endpoint does not answer. */
  static async start(options: OpenAiEmbedderOptions): Promise<OpenAiEmbedder> {
    const {
      batch = DEFAULT_BATCH,
      maxTextTokens = DEFAULT_MAX_TEXT_TOKENS,
      limits = DEFAULT_LIMITS,
    } = options;
    const client = openAiClient(options.baseUrl, options.apiKey);
    const make = (dimensions: number): OpenAiEmbedder =>
      new OpenAiEmbedder({ name: options.model, dimensions }, client, batch, maxTextTokens, limits);
    if (options.dimensions !== undefined) return make(options.dimensions);
    const [vector] = await make(0).embed(['How long are your vectors?'], 'query');
    return make(vector?.length ?? 0);
  }

  override async embed(texts: string[], urgency: EmbeddingUrgency): Promise<Float32Array[]> {
    const { deadlineMs, attemptMs } = this.limits[urgency];
    const called = Date.now();
    // Where one batch fails the call has failed: the others are ended.
    const failed = new AbortController();
    const signal = AbortSignal.any([this.closing.signal, failed.signal]);
    const batches = textBatches(
      // The protocol refuses an empty text.
      texts.map((text) => (text === '' ? ' ' : cutText(text, this.maxTextTokens))),
      this.batch,
    );
    try {
      const vectors = await Promise.all(
        batches.map((batch) =>
          this.slots[urgency].run(() => {
            const start = urgency === 'query' ? called : Date.now();
            return this.request(batch, {
              deadline: start + deadlineMs,
              attemptMs,
              signal,
            });
          }),
        ),
      );
      return vectors.flat();
    } catch (error) {
      failed.abort();
      throw this.unavailable(error);
    }
  }

  override async ping(): Promise<void> {
    await this.embed(['ping'], 'query');
  }

  override close(): Promise<void> {
    this.closing.abort();
    return Promise.resolve();
  }

  /** A batch that is refused is sent again in halves, so that one text does not fail the others. */
  private async request(batch: string[], limits: CallLimits): Promise<Float32Array[]> {
    try {
      return await callModel(async (options) => {
        const body = { model: this.model.name, input: batch, encoding_format: 'float' as const };
        const reply: unknown = await this.client.embeddings.create(body, options);
        return readVectors(reply, batch.length, this.model.dimensions);
      }, limits);
    } catch (error) {
      if (!(error instanceof ModelCallFailed && error.refused)) throw error;
      const [text] = batch;
      if (text === undefined) throw error;
      if (batch.length > 1) {
        const half = Math.ceil(batch.length / 2);
        const first = await this.request(batch.slice(0, half), limits);
        return [...first, ...(await this.request(batch.slice(half), limits))];
      }
      const shorter = cutText(text, Math.floor(Buffer.byteLength(text) / 6));
      if (Buffer.byteLength(shorter) / 3 < SMALLEST_CUT) throw error;
      return this.request([shorter], limits);
    }
  }

  private unavailable(error: unknown): EmbedderUnavailable {
    if (!(error instanceof ModelCallFailed)) throw error;
    const Failure = error.refused ? TextRefused : EmbedderUnavailable;
    return new Failure(`The endpoint for ${this.model.name}: ${error.message}`, {
      retryAfter: error.retryAfter ?? RETRY_AFTER_S,
    });
  }
}

/** The vectors of a reply in the order of the texts, at unit length. `dimensions` 0: whatever they are, but all alike. */
function readVectors(reply: unknown, count: number, dimensions: number): Float32Array[] {
  const data = isRecord(reply) ? reply['data'] : undefined;
  if (!Array.isArray(data) || data.length !== count) throw broken(`other than ${count} vectors`);
  const vectors = new Map<number, Float32Array>();
  data.forEach((item: unknown, place) => {
    if (!isRecord(item)) throw broken('no vector');
    const index = item['index'] ?? place;
    const vector = unitVector(item['embedding']);
    const length = dimensions === 0 ? (vectors.values().next().value?.length ?? vector.length) : dimensions;
    if (vector.length !== length) throw broken(`a vector of ${vector.length} dimensions, not ${length}`);
    if (typeof index === 'number') vectors.set(index, vector);
  });
  return Array.from({ length: count }, (_, place) => {
    const vector = vectors.get(place);
    if (vector === undefined) throw broken(`no vector with index ${place}`);
    return vector;
  });
}

function unitVector(embedding: unknown): Float32Array {
  if (!Array.isArray(embedding)) throw broken('no vector');
  const vector = Float32Array.from(embedding as unknown[], Number);
  const length = Math.hypot(...vector);
  if (!Number.isFinite(length) || length === 0) throw broken('a vector without a direction');
  return vector.map((value) => value / length);
}

/** Not worth asking again: an endpoint that miscounts is the wrong endpoint. */
function broken(what: string): ModelCallFailed {
  return new ModelCallFailed(`it answered with ${what}`, false, null);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
