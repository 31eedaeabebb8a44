import { ChatModel, type ChatAnswer, type ChatQuestion } from './chat-model.js';
import { ChatUnavailable, QuestionRefused } from './models.errors.js';

/** After so long no other model is asked: a chain of slow ones would keep all that wait behind it for as long as it is. */
const LONGEST_MS = 120_000;

/** Several models, asked in turn where the one before has no answer of use. */
export class FallbackChatModel extends ChatModel {
  constructor(
    private readonly models: readonly ChatModel[],
    private readonly now: () => number = () => performance.now(),
  ) {
    super();
  }

  override async ask(question: ChatQuestion): Promise<ChatAnswer> {
    const until = this.now() + LONGEST_MS;
    let failure = new ChatUnavailable('No model is there to be asked');
    for (const model of this.models) {
      if (this.now() >= until) break;
      try {
        return await model.ask(question);
      } catch (error) {
        if (!(error instanceof ChatUnavailable)) throw error;
        // One that answers, and refuses, is known to be there: the question is to blame, and would be again.
        if (!(failure instanceof QuestionRefused)) failure = error;
      }
    }
    throw failure;
  }
}
