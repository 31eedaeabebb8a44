import type { FactoryProvider, InjectionToken } from '@nestjs/common';
import { Models } from './models/models.js';
import { Database } from './platform/database/database.js';
import type { HealthPart, HealthProbe } from './platform/health/health-probe.js';
import { GraphEngine } from './spaces/graph-space.js';
import { VectorEngine } from './spaces/vector-space.js';

/** One probe for each part that `/health` speaks of. */
export const storeProbes: (FactoryProvider<HealthProbe> & { provide: InjectionToken<HealthProbe> })[] = [
  probe('ledger', Database, (database: Database) => database.ping()),
  probe('vectors', VectorEngine, (vectors: VectorEngine) => vectors.ping()),
  probe('graph', GraphEngine, (graphs: GraphEngine) => graphs.ping()),
  probe('models', Models, (models: Models) => models.current.ping()),
];

function probe<Part>(
  part: HealthPart,
  token: InjectionToken<Part>,
  check: (answering: Part) => Promise<void>,
): FactoryProvider<HealthProbe> & { provide: InjectionToken<HealthProbe> } {
  return {
    provide: Symbol(`${part} probe`),
    useFactory: (answering: Part): HealthProbe => ({ part, check: () => check(answering) }),
    inject: [token],
  };
}
