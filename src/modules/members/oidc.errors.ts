import { DomainError } from '../../platform/errors/domain-error.js';

export class OidcNotFound extends DomainError<'oidc.not_found'> {
  readonly code = 'oidc.not_found';
  constructor() {
    super('This tenant has no identity provider.');
  }
}

/** A token of that issuer for that audience would name two tenants. */
export class OidcTaken extends DomainError<'oidc.taken'> {
  readonly code = 'oidc.taken';
  constructor() {
    super('This issuer is registered for this audience already.');
  }
}
