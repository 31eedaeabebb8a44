import { Injectable } from '@nestjs/common';
import type { ChatModel, ChatTokens } from '../../../models/chat-model.js';
import { QuestionRefused } from '../../../models/models.errors.js';
import type { TextToRead } from '../reading/text-reader.js';
import { readingsIn, type ModelReading } from './reading-answer.js';
import { readingQuestion } from './reading-question.js';

/** So much goes into one question. */
const MOST_TEXTS = 8;
const MOST_CHARACTERS = 24_000;
const LONGEST_MS = 300_000;

/** Null: the model has nothing to say of it that is of use. `unasked`: there was no time left to ask. */
export type Told = ModelReading | null | 'unasked';

export interface ModelReadings {
  /** One for each text, in order. */
  readings: Told[];
  tokens: ChatTokens;
}

/** Asks a language model what texts name, what kind they are of and what they come to, several of them at a time. */
@Injectable()
export class LanguageReader {
  /**
   * All of one workspace: what is in one question could colour each other's answer. After `longestMs` no more is asked:
   * nobody's slow model takes others' turns for long. Throws `ChatUnavailable`.
   */
  async read(model: ChatModel, texts: readonly TextToRead[], longestMs = LONGEST_MS): Promise<ModelReadings> {
    const asking = new Asking(model, performance.now() + longestMs);
    const readings: Told[] = [];
    for (const some of portionsOf(texts)) readings.push(...(await asking.readingsOf(some)));
    return { readings, tokens: asking.tokens };
  }
}

class Asking {
  readonly tokens: ChatTokens = { input: 0, output: 0 };

  constructor(
    private readonly model: ChatModel,
    private readonly until: number,
  ) {}

  /**
   * Texts whose question is refused, or whose answer is not to be believed, are asked in halves, down to the one that is to
   * blame; one that is left out of the answer is asked alone.
   */
  async readingsOf(texts: readonly TextToRead[]): Promise<Told[]> {
    if (performance.now() >= this.until) return texts.map(() => 'unasked');
    const answered = await this.ask(texts);
    if (texts.length === 1) return [answered?.[0] ?? null];
    const readings: Told[] = [];
    if (answered === null) {
      const half = Math.ceil(texts.length / 2);
      for (const some of [texts.slice(0, half), texts.slice(half)])
        readings.push(...(await this.readingsOf(some)));
    } else {
      for (const [at, text] of texts.entries())
        readings.push(answered[at] ?? (await this.readingsOf([text]))[0] ?? null);
    }
    return readings;
  }

  /** Null: the answer is refused, by the model or by us. */
  private async ask(texts: readonly TextToRead[]): Promise<(ModelReading | null)[] | null> {
    const asked = readingQuestion(texts);
    try {
      const { value, tokens } = await this.model.ask(asked.question);
      this.tokens.input += tokens.input;
      this.tokens.output += tokens.output;
      const readings = readingsIn(value, asked);
      return readings && [...asked.texts.keys()].map((key) => readings.get(key) ?? null);
    } catch (error) {
      if (error instanceof QuestionRefused) return null;
      throw error;
    }
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
