import { DomainError } from '../../platform/errors/domain-error.js';

export class WorkspaceSlugTaken extends DomainError<'workspace.slug_taken'> {
  readonly code = 'workspace.slug_taken';
  constructor(slug: string) {
    super(`This tenant has a workspace \`${slug}\` already.`);
  }
}

export class WorkspaceIsDefault extends DomainError<'workspace.is_default'> {
  readonly code = 'workspace.is_default';
  constructor() {
    super('The default workspace is where requests go that name none: it cannot be deleted.');
  }
}
