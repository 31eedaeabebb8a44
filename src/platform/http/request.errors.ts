import { DomainError } from '../errors/domain-error.js';
import type { FieldError } from '../errors/domain-error.js';

export class RequestMalformed extends DomainError<'request.malformed'> {
  readonly code = 'request.malformed';
}

/** At most this many are told: a batch of bad items should not be answered with megabytes. */
const MOST_ERRORS = 50;

export class RequestInvalid extends DomainError<'request.invalid'> {
  readonly code = 'request.invalid';

  constructor(errors: FieldError[]) {
    const first = errors[0];
    const rest = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
    super(first === undefined ? 'The request is not valid.' : `${first.location} ${first.message}${rest}.`, {
      errors: errors.slice(0, MOST_ERRORS),
    });
  }
}

export class RequestTooLarge extends DomainError<'request.too_large'> {
  readonly code = 'request.too_large';
}

export class RequestUnsupportedMedia extends DomainError<'request.unsupported_media'> {
  readonly code = 'request.unsupported_media';
}

export class TokenInUrl extends DomainError<'request.token_in_url'> {
  readonly code = 'request.token_in_url';

  constructor() {
    super('Tokens are taken from the Authorization or X-API-Key header only. Treat this one as leaked.');
  }
}

export class ServerStopping extends DomainError<'server.stopping'> {
  readonly code = 'server.stopping';

  constructor() {
    super('This server takes no new requests at the moment.', { retryAfter: 2 });
  }
}

export class NoSuchErrorCode extends DomainError<'route.not_found'> {
  readonly code = 'route.not_found';

  constructor() {
    super('There is no error of that code.');
  }
}

export class ServedElsewhere extends DomainError<'route.not_found'> {
  readonly code = 'route.not_found';

  constructor() {
    super('This process is a worker: it serves nothing but its health and metrics.');
  }
}

/** Tenants are found by their host names only where an operator has turned that on. */
export class HostsNotResolved extends DomainError<'route.not_found'> {
  readonly code = 'route.not_found';
  constructor() {
    super('Nothing is served under this path.');
  }
}
