/** Which part of the installation a probe looks at. */
export type HealthPart = 'ledger' | 'vectors' | 'graph' | 'models';

/** Asks one part whether it answers. */
export abstract class HealthProbe {
  abstract readonly part: HealthPart;
  /** Nobody can be served while it is away: no requests are to be sent here. */
  abstract readonly vital: boolean;
  /** Resolves where the part answers, rejects where it does not. May take its time: callers stop waiting. */
  abstract check(): Promise<void>;
}

/** The token under which the list of probes is provided: `{ provide: HEALTH_PROBES, useFactory: … }`. */
export const HEALTH_PROBES = Symbol('HEALTH_PROBES');
