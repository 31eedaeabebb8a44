import type OpenAI from 'openai';
import type { ChatQuestion } from '../chat-model.js';

type Body = OpenAI.Chat.ChatCompletionCreateParamsNonStreaming;

/** How an endpoint wants to be asked: not every one takes all that the protocol has. */
export interface ChatManner {
  format: 'json_schema' | 'json_object' | 'none';
  /** What it calls the bound on an answer. */
  bound: 'max_tokens' | 'max_completion_tokens';
  temperature: boolean;
}

/** What is tried first: the strictest. */
export const FIRST_MANNER: ChatManner = { format: 'json_schema', bound: 'max_tokens', temperature: true };

/** How to ask one that has refused to be asked so; null where no other way is left. */
export function nextManner(manner: ChatManner, refusedPart: string | null): ChatManner | null {
  if (refusedPart === 'max_tokens' && manner.bound === 'max_tokens')
    return { ...manner, bound: 'max_completion_tokens' };
  if (refusedPart === 'temperature' && manner.temperature) return { ...manner, temperature: false };
  switch (manner.format) {
    case 'json_schema':
      return { ...manner, format: 'json_object' };
    case 'json_object':
      return { ...manner, format: 'none' };
    case 'none':
      return null;
  }
}

export function requestBody(model: string, question: ChatQuestion, manner: ChatManner): Body {
  const { task, material, answer, maxTokens } = question;
  const inWords = `\n\nAnswer with JSON alone, by this schema:\n${JSON.stringify(answer.schema)}`;
  return {
    model,
    messages: [
      { role: 'system', content: manner.format === 'json_schema' ? task : `${task}${inWords}` },
      { role: 'user', content: material },
    ],
    [manner.bound]: maxTokens,
    ...(manner.temperature ? { temperature: 0 } : {}),
    ...formatOf(answer, manner),
  };
}

function formatOf({ name, schema }: ChatQuestion['answer'], { format }: ChatManner): Partial<Body> {
  switch (format) {
    case 'json_schema':
      return {
        response_format: { type: 'json_schema', json_schema: { name, strict: true, schema: { ...schema } } },
      };
    case 'json_object':
      return { response_format: { type: 'json_object' } };
    case 'none':
      return {};
  }
}
