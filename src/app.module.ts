import { Global, Module, type DynamicModule } from '@nestjs/common';
import type { Secrets } from './installation.js';
import { Homes } from './ledger/homes.js';
import { BackgroundModule } from './background/background.module.js';
import { LedgerModule } from './ledger/ledger.module.js';
import { Models } from './models/models.js';
import { AgentsModule } from './modules/agents/agents.module.js';
import { EventsModule } from './modules/events/events.module.js';
import { MasterKeyModule } from './modules/master-key/master-key.module.js';
import { ConsolidationModule } from './modules/consolidation/consolidation.module.js';
import { EnrichmentModule } from './modules/enrichment/enrichment.module.js';
import { MembersModule } from './modules/members/members.module.js';
import { AuditModule } from './modules/audit/audit.module.js';
import { MemoryModule } from './modules/memory/memory.module.js';
import { OrganizationsModule } from './modules/organizations/organizations.module.js';
import { PoliciesModule } from './modules/policies/policies.module.js';
import { TenantsModule } from './modules/tenants/tenants.module.js';
import { RetentionModule } from './modules/retention/retention.module.js';
import { TriggersModule } from './modules/triggers/triggers.module.js';
import { WorkspacesModule } from './modules/workspaces/workspaces.module.js';
import { MasterKeyFile } from './platform/config/master-key-file.js';
import type { Settings } from './platform/config/settings.js';
import { Database } from './platform/database/database.js';
import type { Log } from './platform/logging/log.js';
import { PlatformModule } from './platform/platform.module.js';
import { SpacesModule } from './spaces/spaces.module.js';
import { Placements } from './spaces/placements.js';
import { storeProbes } from './store-probes.js';
import type { Stores } from './stores.js';
import { RateCounter } from './tenancy/rate-counter.js';
import { OperatorToken } from './tenancy/operator-token.js';
import { TenancyModule } from './tenancy/tenancy.module.js';
import { MasterKey } from './tenancy/tenant-key.js';

export interface AppParts {
  settings: Settings;
  log: Log;
  stores: Stores;
  secrets: Secrets;
}

/** The house: what was opened at the start, and the rooms that use it. */
@Module({})
export class AppModule {
  static of({ settings, log, stores, secrets }: AppParts): DynamicModule {
    const storesModule = StoresModule.of(stores, secrets);
    return {
      module: AppModule,
      imports: [
        storesModule,
        PlatformModule.for({
          settings,
          log,
          adminToken: secrets.adminToken,
          probes: storeProbes.map(({ provide }) => provide),
          imports: [storesModule],
        }),
        TenancyModule,
        LedgerModule,
        SpacesModule,
        BackgroundModule,
        AuditModule,
        TenantsModule,
        PoliciesModule,
        MasterKeyModule,
        WorkspacesModule,
        OrganizationsModule,
        MembersModule,
        AgentsModule,
        MemoryModule,
        EventsModule,
        TriggersModule,
        EnrichmentModule,
        RetentionModule,
        ConsolidationModule,
      ],
    };
  }
}

/** The opened stores, under the ports that everything else asks for. */
@Global()
@Module({})
class StoresModule {
  static of(stores: Stores, secrets: Secrets): DynamicModule {
    const providers = [
      { provide: Database, useValue: stores.database },
      { provide: Homes, useValue: stores.homes },
      { provide: Placements, useValue: stores.placements },
      { provide: Models, useValue: stores.models },
      { provide: RateCounter, useValue: stores.rateCounter },
      { provide: MasterKey, useValue: secrets.master },
      { provide: MasterKeyFile, useValue: secrets.masterKeyFile },
      { provide: OperatorToken, useValue: new OperatorToken(secrets.adminToken) },
      ...storeProbes,
    ];
    return { module: StoresModule, providers, exports: providers.map(({ provide }) => provide) };
  }
}
