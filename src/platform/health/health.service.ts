import { Inject, Injectable } from '@nestjs/common';
import { Log } from '../logging/log.js';
import { HEALTH_PROBES } from './health-probe.js';
import type { HealthPart, HealthProbe } from './health-probe.js';
import { ServerState } from './server-state.js';

export type PartHealth = 'ok' | 'down' | 'unknown';
export type Stores = Record<HealthPart, PartHealth>;

interface Report {
  stores: Stores;
  /** Every vital part answers. */
  able: boolean;
}

const PROBE_TIMEOUT_MS = 1_000;
const FRESH_MS = 1_000;

/**
 * What each part said within the last second. Health is asked by anybody, so however often that is, each
 * part is asked at most once a second, and never by two at once.
 */
@Injectable()
export class HealthService {
  private latest: { at: number; report: Promise<Report> } | null = null;

  constructor(
    @Inject(HEALTH_PROBES) private readonly probes: readonly HealthProbe[],
    private readonly state: ServerState,
    private readonly log: Log,
  ) {}

  get phase(): ServerState['phase'] {
    return this.state.phase;
  }

  /** `unknown` is a part that nobody has a probe for. */
  async stores(): Promise<Stores> {
    return (await this.report()).stores;
  }

  /** Ready to be sent requests: started, not stopping, and what is vital answers. Other parts degrade, no more. */
  async ready(): Promise<boolean> {
    return this.state.phase === 'ready' && (await this.report()).able;
  }

  private report(): Promise<Report> {
    const now = performance.now();
    if (this.latest === null || now - this.latest.at > FRESH_MS) {
      this.latest = { at: now, report: this.ask() };
    }
    return this.latest.report;
  }

  private async ask(): Promise<Report> {
    let able = true;
    const stores: Stores = { ledger: 'unknown', vectors: 'unknown', graph: 'unknown', models: 'unknown' };
    await Promise.all(
      this.probes.map(async (probe) => {
        const answer = await answerOf(probe);
        // Several placements may have a probe for the same part: one that is down makes the part down.
        if (stores[probe.part] !== 'down') stores[probe.part] = answer === null ? 'ok' : 'down';
        if (answer !== null && probe.vital) able = false;
        if (answer !== null) this.log.warn({ part: probe.part, err: answer.error }, 'does not answer');
      }),
    );
    return { stores, able };
  }
}

/** Null where the part answered in time. */
async function answerOf(probe: HealthProbe): Promise<{ error: unknown } | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${PROBE_TIMEOUT_MS} ms`)), PROBE_TIMEOUT_MS);
  });
  try {
    await Promise.race([probe.check(), late]);
    return null;
  } catch (error) {
    return { error };
  } finally {
    clearTimeout(timer);
  }
}
