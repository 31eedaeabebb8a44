import type { FactoryProvider, InjectionToken } from '@nestjs/common';
import { Homes } from './ledger/homes.js';
import { Models } from './models/models.js';
import { Database } from './platform/database/database.js';
import type { HealthPart, HealthProbe } from './platform/health/health-probe.js';
import { Placements } from './spaces/placements.js';

/** One probe for each part that `/health` speaks of. */
export const storeProbes: (FactoryProvider<HealthProbe> & { provide: InjectionToken<HealthProbe> })[] = [
  probe('ledger', Database, (database: Database) => database.ping(), { vital: true }),
  // Only some tenants wait where a database of a placement's own is away.
  probe('ledger', Homes, async (homes: Homes) => {
    await Promise.all(homes.others.map(async (home) => (await homes.of(home)).ping()));
  }),
  probe('vectors', Placements, async (placements: Placements) => {
    await Promise.all(placements.all.map(({ vectors }) => vectors.ping()));
  }),
  probe('graph', Placements, async (placements: Placements) => {
    await Promise.all(placements.all.map(({ graphs }) => graphs.ping()));
  }),
  probe('models', Models, (models: Models) => models.current.ping()),
];

function probe<Part>(
  part: HealthPart,
  token: InjectionToken<Part>,
  check: (answering: Part) => Promise<void>,
  { vital } = { vital: false },
): FactoryProvider<HealthProbe> & { provide: InjectionToken<HealthProbe> } {
  return {
    provide: Symbol(`${part} probe`),
    useFactory: (answering: Part): HealthProbe => ({ part, vital, check: () => check(answering) }),
    inject: [token],
  };
}
