import { DomainError } from '../../platform/errors/domain-error.js';

/** Also for one that the caller may not see. */
export class AgentNotFound extends DomainError<'agent.not_found'> {
  readonly code = 'agent.not_found';
  constructor() {
    super('No such agent.');
  }
}

export class AgentSlugTaken extends DomainError<'agent.slug_taken'> {
  readonly code = 'agent.slug_taken';
  constructor(slug: string) {
    super(`This workspace has an agent \`${slug}\` already.`);
  }
}

export class AgentIsDefault extends DomainError<'agent.is_default'> {
  readonly code = 'agent.is_default';
  constructor() {
    super('The default agent answers where none is named: it cannot be deleted.');
  }
}

/** The caller sees it, and may do no more. */
export class AgentIsOthers extends DomainError<'auth.forbidden'> {
  readonly code = 'auth.forbidden';
}
