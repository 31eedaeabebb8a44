import { DomainError } from '../platform/errors/domain-error.js';
import type { Tenant } from './principal.js';

export class TokenRequired extends DomainError<'auth.required'> {
  readonly code = 'auth.required';
  constructor() {
    super('Send a token: `Authorization: Bearer <token>` or `X-API-Key: <token>`.');
  }
}

/** Wrong, unknown, expired, revoked, of a deleted tenant: one message for all, so that none can be told apart. */
export class TokenInvalid extends DomainError<'auth.invalid'> {
  readonly code = 'auth.invalid';
  constructor(internal: string) {
    super('This token is not valid.', { internal });
  }
}

export class Forbidden extends DomainError<'auth.forbidden'> {
  readonly code = 'auth.forbidden';
}

export class OperatorReadsNoContent extends DomainError<'operator.no_content'> {
  readonly code = 'operator.no_content';
  constructor() {
    super('An operator does not read what tenants stored. Use a key of the tenant.');
  }
}

export class TenantMismatch extends DomainError<'tenant_mismatch'> {
  readonly code = 'tenant_mismatch';
  constructor() {
    super("X-Tenant-ID is not this token's tenant.");
  }
}

export class TenantSuspended extends DomainError<'tenant.suspended'> {
  readonly code = 'tenant.suspended';
  constructor() {
    super('This tenant is suspended. Nothing was deleted; its operator can resume it.');
  }
}

/** A write that was under way while its tenant was deleted. To the caller the token is no longer valid. */
export class TenantDeleted extends DomainError<'auth.invalid'> {
  readonly code = 'auth.invalid';
  constructor(tenant: Tenant) {
    super('This token is not valid.', { internal: `tenant ${tenant.id} is deleted` });
  }
}

export class TenantNotFound extends DomainError<'tenant.not_found'> {
  readonly code = 'tenant.not_found';
  constructor() {
    super('No such tenant.');
  }
}

/** An operator's request about something of a tenant's, that does not say whose. */
export class TenantNotNamed extends DomainError<'tenant.not_named'> {
  readonly code = 'tenant.not_named';
  constructor() {
    super('The admin token belongs to no tenant: name one with `X-Tenant-ID`.');
  }
}

export class WorkspaceNotFound extends DomainError<'workspace.not_found'> {
  readonly code = 'workspace.not_found';
  constructor(internal: string) {
    super('No such workspace.', { internal });
  }
}
