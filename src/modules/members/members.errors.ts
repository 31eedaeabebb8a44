import { DomainError } from '../../platform/errors/domain-error.js';

export class MemberNotFound extends DomainError<'member.not_found'> {
  readonly code = 'member.not_found';
  constructor() {
    super('No such member.');
  }
}

/** The e-mail address or the external id is another member's. */
export class MemberExists extends DomainError<'member.exists'> {
  readonly code = 'member.exists';
  constructor(what: string) {
    super(`Another member of this tenant has this ${what}.`);
  }
}

export class LastAdmin extends DomainError<'member.last_admin'> {
  readonly code = 'member.last_admin';
  constructor() {
    super('This is the last tenant_admin, and no key could manage the tenant without it.');
  }
}

export class MemberInactive extends DomainError<'member.inactive'> {
  readonly code = 'member.inactive';
  constructor() {
    super('This member is deactivated.');
  }
}
