import { Inject, Injectable } from '@nestjs/common';
import { Log } from '../logging/log.js';
import { HEALTH_PROBES } from './health-probe.js';
import type { HealthPart, HealthProbe } from './health-probe.js';
import { ServerState } from './server-state.js';

export type PartHealth = 'ok' | 'down' | 'unknown';
export type Stores = Record<HealthPart, PartHealth>;

const PROBE_TIMEOUT_MS = 1_000;
const FRESH_MS = 1_000;

/**
 * What each part said within the last second. Health is asked by anybody, so however often that is, each
 * part is asked at most once a second, and never by two at once.
 */
@Injectable()
export class HealthService {
  private latest: { at: number; stores: Promise<Stores> } | null = null;

  constructor(
    @Inject(HEALTH_PROBES) private readonly probes: readonly HealthProbe[],
    private readonly state: ServerState,
    private readonly log: Log,
  ) {}

  get phase(): ServerState['phase'] {
    return this.state.phase;
  }

  /** `unknown` is a part that nobody has a probe for. */
  stores(): Promise<Stores> {
    const now = performance.now();
    if (this.latest === null || now - this.latest.at > FRESH_MS) {
      this.latest = { at: now, stores: this.ask() };
    }
    return this.latest.stores;
  }

  /** Ready to be sent requests: started, not stopping, and the ledger answers. Other parts degrade, no more. */
  async ready(): Promise<boolean> {
    return this.state.phase === 'ready' && (await this.stores()).ledger === 'ok';
  }

  private async ask(): Promise<Stores> {
    const stores: Stores = { ledger: 'unknown', vectors: 'unknown', graph: 'unknown', models: 'unknown' };
    await Promise.all(
      this.probes.map(async (probe) => {
        const answer = await answerOf(probe);
        // Several placements may have a probe for the same part: one that is down makes the part down.
        if (stores[probe.part] !== 'down') stores[probe.part] = answer === null ? 'ok' : 'down';
        if (answer !== null) this.log.warn({ part: probe.part, err: answer.error }, 'does not answer');
      }),
    );
    return stores;
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
