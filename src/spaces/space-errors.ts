import { DomainError } from '../platform/errors/domain-error.js';

/** The engine does not answer: it is away, restarting, or out of room. What was stored is safe in the ledger. */
export class SpaceUnavailable extends DomainError<'space.unavailable'> {
  readonly code = 'space.unavailable';

  constructor(internal: string, cause?: unknown) {
    super('The search index does not answer at the moment.', { internal, retryAfter: 1, cause });
  }
}

/** This one item can never be indexed as it is; the batch that holds it was not applied. */
export class ItemRefused extends Error {
  constructor(
    readonly item: { id: string; revision: number },
    reason: string,
  ) {
    super(`${item.id} at revision ${item.revision}: ${reason}`);
    this.name = 'ItemRefused';
  }
}

/** Whether an error is about the engine and not about what it was asked: trying again later makes sense. */
export function isOutage(error: unknown): boolean {
  return error instanceof SpaceUnavailable;
}

/** The tenant's spaces are elsewhere since this request began: another try will find them. */
export class SpaceMoved extends DomainError<'space.unavailable'> {
  readonly code = 'space.unavailable';

  constructor(tenant: string, placement: string) {
    super('The search index is moving just now.', {
      internal: `${tenant} is in ${placement}`,
      retryAfter: 1,
    });
  }
}

/** The tenant was idle and its spaces are being built again; that takes longer than a request should wait. */
export class SpaceWaking extends DomainError<'space.unavailable'> {
  readonly code = 'space.unavailable';

  constructor(space: string) {
    super('The search index is being built again.', { internal: `${space} is waking`, retryAfter: 2 });
  }
}
