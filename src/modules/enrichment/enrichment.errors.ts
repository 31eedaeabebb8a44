import { DomainError } from '../../platform/errors/domain-error.js';

export class EntityNotFound extends DomainError<'entity.not_found'> {
  readonly code = 'entity.not_found';
  constructor() {
    super('No memory that you see names such an entity.');
  }
}

export class EntityInvalid extends DomainError<'entity.invalid'> {
  readonly code = 'entity.invalid';
  constructor() {
    super('An entity cannot be merged into itself.');
  }
}

/** The server is stopping: it is no fault of the text, which is read after the next start. */
export class ReaderStopped extends DomainError<'model.unavailable'> {
  readonly code = 'model.unavailable';
  constructor() {
    super('What was stored is read later.');
  }
}
