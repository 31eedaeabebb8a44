import { DomainError } from '../../platform/errors/domain-error.js';

/** There is nothing to rotate to, or a replica would be left without its key. */
export class MasterKeyNotReady extends DomainError<'master_key.not_ready'> {
  readonly code = 'master_key.not_ready';
}

export class MasterKeyRotating extends DomainError<'master_key.rotating'> {
  readonly code = 'master_key.rotating';
  constructor() {
    super('Another process rotates the master key just now.');
  }
}
