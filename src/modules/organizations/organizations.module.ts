import { Module } from '@nestjs/common';
import { TenantsModule } from '../tenants/tenants.module.js';
import { WorkspacesModule } from '../workspaces/workspaces.module.js';
import { OrganizationsController } from './organizations.controller.js';

@Module({
  imports: [TenantsModule, WorkspacesModule],
  controllers: [OrganizationsController],
})
export class OrganizationsModule {}
