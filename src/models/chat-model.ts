/** A JSON schema, as the protocols take it: `{type: 'object', …}`. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export interface ChatQuestion {
  /** What is to be done. Ours alone: nothing that anybody has stored is in it. */
  task: string;
  /** What it is to be done with. Whoever wrote that is not who asks. */
  material: string;
  /** What the answer is to look like. A model may not keep to it: whoever asks checks what came. */
  answer: { name: string; schema: JsonSchema };
  /** Tokens that the answer may have. */
  maxTokens: number;
}

/** Tokens, as the endpoint counts them; 0 where it does not. */
export interface ChatTokens {
  input: number;
  output: number;
}

export interface ChatAnswer {
  /** JSON, of whatever shape. */
  value: unknown;
  tokens: ChatTokens;
}

/**
 * A language model. Rejects with `ChatUnavailable` where it does not answer in time, and with `QuestionRefused` where it
 * does, but with nothing that is of use.
 */
export abstract class ChatModel {
  abstract ask(question: ChatQuestion): Promise<ChatAnswer>;
}
