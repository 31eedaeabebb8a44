import { Module } from '@nestjs/common';
import { CurrentTenantController } from './current-tenant.controller.js';
import { KeyManagers } from './key-managers.js';
import { InstallationStatsController } from './installation-stats.controller.js';
import { InstallationStatsService } from './installation-stats.service.js';
import { OperatorTenantsController } from './operator-tenants.controller.js';
import { TenantDesk } from './tenant-desk.js';
import { TenantKeysController } from './tenant-keys.controller.js';
import { TenantKeys } from './tenant-keys.service.js';
import { TenantProvisioning } from './tenant-provisioning.service.js';
import { TenantMove } from './tenant-move.service.js';
import { TenantPlacementController } from './tenant-placement.controller.js';
import { TenantProjectionsController } from './tenant-projections.controller.js';
import { TenantPurge } from './tenant-purge.service.js';
import { TenantStatsService } from './tenant-stats.service.js';
import { TenantUsageService } from './tenant-usage.service.js';
import { TenantsController } from './tenants.controller.js';
import { TenantsService } from './tenants.service.js';
import { WorkspaceKeysController } from './workspace-keys.controller.js';

@Module({
  controllers: [
    TenantsController,
    TenantKeysController,
    TenantPlacementController,
    TenantProjectionsController,
    CurrentTenantController,
    OperatorTenantsController,
    InstallationStatsController,
    WorkspaceKeysController,
  ],
  providers: [
    TenantsService,
    TenantProvisioning,
    TenantPurge,
    TenantStatsService,
    TenantUsageService,
    InstallationStatsService,
    TenantDesk,
    KeyManagers,
    TenantKeys,
    TenantMove,
  ],
  exports: [TenantProvisioning, TenantsService, TenantDesk],
})
export class TenantsModule {}
