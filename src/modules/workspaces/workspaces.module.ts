import { Module } from '@nestjs/common';
import { WorkspaceErasure } from './workspace-erasure.service.js';
import { WorkspacesController } from './workspaces.controller.js';
import { WorkspacesService } from './workspaces.service.js';

@Module({
  controllers: [WorkspacesController],
  providers: [WorkspacesService, WorkspaceErasure],
  exports: [WorkspacesService],
})
export class WorkspacesModule {}
