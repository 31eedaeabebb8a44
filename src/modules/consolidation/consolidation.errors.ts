import { DomainError } from '../../platform/errors/domain-error.js';

export class ConsolidationRunning extends DomainError<'consolidation.running'> {
  readonly code = 'consolidation.running';
  constructor() {
    super('Memories of this tenant are being consolidated already.', { retryAfter: 10 });
  }
}
