import { Injectable } from '@nestjs/common';
import type { ChatModel, ChatTokens } from '../../../models/chat-model.js';
import { QuestionRefused } from '../../../models/models.errors.js';
import type { TextToRead } from '../reading/text-reader.js';
import { readingsIn, type ModelReading } from './reading-answer.js';
import { readingQuestion } from './reading-question.js';

/** So much goes into one question. */
const MOST_TEXTS = 8;
const MOST_CHARACTERS = 24_000;

export interface ModelReadings {
  /** One for each text, in order. Null: the model has nothing to say of it that is of use. */
  readings: (ModelReading | null)[];
  tokens: ChatTokens;
}

/** Asks a language model what texts name, what kind they are of and what they come to, several of them at a time. */
@Injectable()
export class LanguageReader {
  /**
   * All of one workspace: what is in one question could colour each other's answer. Texts whose question is refused, or whose
   * answer is not to be believed, are asked in halves, down to the one that is to blame. Throws `ChatUnavailable`.
   */
  async read(model: ChatModel, texts: readonly TextToRead[]): Promise<ModelReadings> {
    const readings: (ModelReading | null)[] = [];
    const tokens = { input: 0, output: 0 };
    for (const some of portionsOf(texts)) readings.push(...(await ask(model, some, tokens)));
    return { readings, tokens };
  }
}

async function ask(
  model: ChatModel,
  asked: readonly TextToRead[],
  tokens: ChatTokens,
): Promise<(ModelReading | null)[]> {
  const readings = await answered(model, asked, tokens);
  if (readings !== null) return readings;
  if (asked.length === 1) return [null];
  const half = Math.ceil(asked.length / 2);
  const first = await ask(model, asked.slice(0, half), tokens);
  return [...first, ...(await ask(model, asked.slice(half), tokens))];
}

/** Null: the answer is refused, by the model or by us. */
async function answered(
  model: ChatModel,
  asked: readonly TextToRead[],
  tokens: ChatTokens,
): Promise<(ModelReading | null)[] | null> {
  const asking = readingQuestion(asked);
  try {
    const answer = await model.ask(asking.question);
    tokens.input += answer.tokens.input;
    tokens.output += answer.tokens.output;
    const readings = readingsIn(answer.value, asking);
    return readings && [...asking.texts.keys()].map((key) => readings.get(key) ?? null);
  } catch (error) {
    if (error instanceof QuestionRefused) return null;
    throw error;
  }
}

function portionsOf(texts: readonly TextToRead[]): TextToRead[][] {
  const portions: TextToRead[][] = [];
  let size = Infinity;
  for (const text of texts) {
    const last = portions.at(-1);
    if (last === undefined || last.length === MOST_TEXTS || size + text.text.length > MOST_CHARACTERS) {
      portions.push([text]);
      size = text.text.length;
    } else {
      last.push(text);
      size += text.text.length;
    }
  }
  return portions;
}
