import { DomainError } from '../../platform/errors/domain-error.js';

/** The slug is that of another tenant. */
export class SlugTaken extends DomainError<'tenant.slug_taken'> {
  readonly code = 'tenant.slug_taken';
  constructor(slug: string) {
    super(
      `A tenant \`${slug}\` exists, and it was provisioned with other values. Choose another tenant_id, or PATCH it.`,
    );
  }
}

/** The id, the domain or the like is that of another tenant. */
export class TenantConflict extends DomainError<'tenant.conflict'> {
  readonly code = 'tenant.conflict';
}

export class TenantIsDeleted extends DomainError<'tenant.deleted'> {
  readonly code = 'tenant.deleted';
  constructor(slug: string) {
    super(`The tenant \`${slug}\` is deleted. Restore it, or purge it before using its name again.`);
  }
}

export class TenantIsMoving extends DomainError<'placement.moving'> {
  readonly code = 'placement.moving';
  constructor(placement: string) {
    super(`The tenant is on its way to \`${placement}\`.`);
  }
}

export class InvalidTransition extends DomainError<'tenant.invalid_transition'> {
  readonly code = 'tenant.invalid_transition';
}

export class KeyInUse extends DomainError<'key.in_use'> {
  readonly code = 'key.in_use';
  constructor() {
    super('This token is in use already. Tokens must be unique over the installation.');
  }
}

export class KeyNotFound extends DomainError<'key.not_found'> {
  readonly code = 'key.not_found';
  constructor() {
    super('No such key.');
  }
}

export class KeyRotated extends DomainError<'key.rotated'> {
  readonly code = 'key.rotated';
  constructor(successor: string) {
    super(`This key was rotated already: ${successor} took over. Rotate or revoke that one.`);
  }
}
