import { DomainError } from '../errors/domain-error.js';

export class MetricsTokenRequired extends DomainError<'auth.required'> {
  readonly code = 'auth.required';

  constructor() {
    super('Metrics need the admin token or METRICS_TOKEN.');
  }
}

export class MetricsTokenInvalid extends DomainError<'auth.invalid'> {
  readonly code = 'auth.invalid';

  constructor() {
    super('This token does not open the metrics.');
  }
}
