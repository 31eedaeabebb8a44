import { DomainError } from '../../platform/errors/domain-error.js';

export class TriggerNotFound extends DomainError<'trigger.not_found'> {
  readonly code = 'trigger.not_found';
  constructor() {
    super('No such trigger.');
  }
}

export class TooManyTriggers extends DomainError<'trigger.too_many'> {
  readonly code = 'trigger.too_many';
  constructor(limit: number) {
    super(`A tenant has ${limit} triggers at the most.`, { extra: { limit } });
  }
}
