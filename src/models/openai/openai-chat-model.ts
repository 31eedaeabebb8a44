import { Logger } from '@nestjs/common';
import type OpenAI from 'openai';
import type { ClientOptions } from 'openai';
import { ChatModel, type ChatAnswer, type ChatQuestion } from '../chat-model.js';
import { ChatUnavailable, QuestionRefused } from '../models.errors.js';
import { answerJson } from './answer-json.js';
import { ChatEndpoint } from './chat-endpoint.js';
import { nextManner, requestBody } from './chat-manner.js';
import { callModel, ModelCallFailed } from './model-call.js';
import { openAiClient } from './openai-client.js';

/** Times in ms. */
export interface ChatLimits {
  /** One attempt, to the last byte of the reply. */
  attemptMs: number;
  /** From when the question is first sent, retries included. */
  deadlineMs: number;
}

export interface OpenAiChatOptions {
  /** Such as `https://api.openai.com/v1`. */
  baseUrl: string;
  apiKey: string;
  model: string;
  /** Ends what is under way. */
  closing: AbortSignal;
  /** What is known of the endpoint, shared by those that ask the same. */
  endpoint?: ChatEndpoint;
  /** By which requests are sent; else Node's own. */
  fetch?: NonNullable<ClientOptions['fetch']>;
  limits?: ChatLimits;
}

/** A local model writes some ten tokens a second. */
const DEFAULT_LIMITS: ChatLimits = { attemptMs: 60_000, deadlineMs: 90_000 };
const RETRY_AFTER_S = 5;

/**
 * Any endpoint that speaks OpenAI's chat completions. One that refuses an answer by schema is asked for any JSON, and then
 * for JSON in words. Failures name their kind, and never hold the key, a text, or what the endpoint wrote.
 */
export class OpenAiChatModel extends ChatModel {
  private readonly logger = new Logger(OpenAiChatModel.name);
  private readonly client: OpenAI;
  private readonly model: string;
  private readonly closing: AbortSignal;
  private readonly endpoint: ChatEndpoint;
  private readonly limits: ChatLimits;

  constructor(options: OpenAiChatOptions) {
    super();
    this.client = openAiClient(options.baseUrl, options.apiKey, options.fetch);
    this.model = options.model;
    this.closing = options.closing;
    this.endpoint = options.endpoint ?? new ChatEndpoint();
    this.limits = options.limits ?? DEFAULT_LIMITS;
  }

  override ask(question: ChatQuestion): Promise<ChatAnswer> {
    return this.endpoint.slots.run(async () => {
      const rest = this.endpoint.restMs();
      if (rest > 0) throw this.unavailable('it did not answer a moment ago', Math.ceil(rest / 1000));
      try {
        const answer = await this.inItsManner(question);
        this.endpoint.answered();
        return answer;
      } catch (error) {
        if (!(error instanceof ModelCallFailed)) throw error;
        if (error.refused) {
          this.endpoint.answered();
          throw new QuestionRefused(`The endpoint for ${this.model}: ${error.message}`);
        }
        this.endpoint.failed();
        if (!this.closing.aborted)
          this.logger.warn(`The language model ${this.model} does not answer: ${error.message}`);
        throw this.unavailable(error.message, error.retryAfter ?? RETRY_AFTER_S);
      }
    });
  }

  /** As the endpoint wants to be asked; what it takes is remembered. */
  private async inItsManner(question: ChatQuestion): Promise<ChatAnswer> {
    const limits = {
      deadline: Date.now() + this.limits.deadlineMs,
      attemptMs: this.limits.attemptMs,
      signal: this.closing,
    };
    for (let { manner } = this.endpoint; ;) {
      const body = requestBody(this.model, question, manner);
      try {
        const reply: unknown = await callModel(
          (options) => this.client.chat.completions.create(body, options),
          limits,
        );
        this.endpoint.manner = manner;
        return readAnswer(reply);
      } catch (error) {
        const refusal = error instanceof ModelCallFailed && error.refused && !(error instanceof Unusable);
        const next = refusal ? nextManner(manner, error.refusedPart) : null;
        if (next === null) throw error;
        manner = next;
      }
    }
  }

  private unavailable(why: string, retryAfter: number): ChatUnavailable {
    return new ChatUnavailable(`The endpoint for ${this.model}: ${why}`, { retryAfter });
  }
}

/** It has answered, with nothing that is of use; at this temperature it would do so again. */
class Unusable extends ModelCallFailed {
  constructor(what: string) {
    super(`it answered with ${what}`, true, null);
  }
}

/** Throws `Unusable`, and `ModelCallFailed` for what is no answer at all. */
function readAnswer(reply: unknown): ChatAnswer {
  const choice = isRecord(reply) && Array.isArray(reply['choices']) ? (reply['choices'][0] as unknown) : null;
  const message = isRecord(choice) ? choice['message'] : null;
  if (!isRecord(reply) || !isRecord(choice) || !isRecord(message))
    throw new ModelCallFailed('it answered with no message', false, null);
  if (choice['finish_reason'] === 'length') throw new Unusable('more than it may');
  if (choice['finish_reason'] === 'content_filter' || typeof message['refusal'] === 'string')
    throw new Unusable('a refusal');
  const { content } = message;
  const value = typeof content === 'string' ? answerJson(content) : undefined;
  if (value === undefined) throw new Unusable('no JSON');
  const usage = isRecord(reply['usage']) ? reply['usage'] : {};
  return {
    value,
    tokens: { input: count(usage['prompt_tokens']), output: count(usage['completion_tokens']) },
  };
}

/** What an endpoint says of itself may be anything. */
function count(value: unknown): number {
  return Number.isInteger(value) ? Math.min(1e7, Math.max(0, Number(value))) : 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
