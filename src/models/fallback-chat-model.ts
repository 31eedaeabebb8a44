import { ChatModel, type ChatAnswer, type ChatQuestion } from './chat-model.js';
import { ChatUnavailable, QuestionRefused } from './models.errors.js';

/** Several models, asked in turn where the one before has no answer of use. */
export class FallbackChatModel extends ChatModel {
  constructor(private readonly models: readonly ChatModel[]) {
    super();
  }

  override async ask(question: ChatQuestion): Promise<ChatAnswer> {
    let failure = new ChatUnavailable('No model is there to be asked');
    for (const model of this.models) {
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
