import { DomainError } from '../../platform/errors/domain-error.js';

export class TooManyStreams extends DomainError<'stream.too_many'> {
  readonly code = 'stream.too_many';
  constructor(limit: number) {
    super(`This tenant has ${limit} streams open here already.`, { retryAfter: 10, extra: { limit } });
  }
}

export class StreamsFull extends DomainError<'stream.full'> {
  readonly code = 'stream.full';
  constructor() {
    super('This server has as many streams open as it holds.', { retryAfter: 5 });
  }
}
