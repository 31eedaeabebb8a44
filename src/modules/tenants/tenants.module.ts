import { Module } from '@nestjs/common';
import { CurrentTenantController } from './current-tenant.controller.js';
import { KeyManagers } from './key-managers.js';
import { TenantKeysController } from './tenant-keys.controller.js';
import { TenantKeys } from './tenant-keys.service.js';
import { TenantProvisioning } from './tenant-provisioning.service.js';
import { TenantMove } from './tenant-move.service.js';
import { TenantPlacementController } from './tenant-placement.controller.js';
import { TenantProjectionsController } from './tenant-projections.controller.js';
import { TenantPurge } from './tenant-purge.service.js';
import { TenantStatsService } from './tenant-stats.service.js';
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
    WorkspaceKeysController,
  ],
  providers: [
    TenantsService,
    TenantProvisioning,
    TenantPurge,
    TenantStatsService,
    KeyManagers,
    TenantKeys,
    TenantMove,
  ],
  exports: [TenantProvisioning],
})
export class TenantsModule {}
