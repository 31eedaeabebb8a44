import { DomainError } from '../platform/errors/domain-error.js';

/** The embedding model is down, too slow, misbehaving or closing. `internal` says which, without secrets or texts. */
export class EmbedderUnavailable extends DomainError<'model.unavailable'> {
  readonly code = 'model.unavailable';

  constructor(internal: string, details: { cause?: unknown; retryAfter?: number } = {}) {
    super('The embedding model cannot answer right now.', { internal, ...details });
  }
}

/** The model answers, but not to one of these texts: asking again changes nothing. */
export class TextRefused extends EmbedderUnavailable {}

/** The language model is down, too slow, misbehaving or closing. `internal` says which, without secrets or texts. */
export class ChatUnavailable extends DomainError<'model.unavailable'> {
  readonly code = 'model.unavailable';

  constructor(internal: string, details: { cause?: unknown; retryAfter?: number } = {}) {
    super('The language model cannot answer right now.', { internal, ...details });
  }
}

/** The model answers, but not this question, or with no JSON: asking again changes nothing. */
export class QuestionRefused extends ChatUnavailable {}
