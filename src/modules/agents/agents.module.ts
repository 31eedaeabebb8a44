import { Module } from '@nestjs/common';
import { AgentsController } from './agents.controller.js';
import { AgentsService } from './agents.service.js';
import { WidgetController } from './widget.controller.js';
import { WorkspaceAgentsController } from './workspace-agents.controller.js';

@Module({
  controllers: [AgentsController, WorkspaceAgentsController, WidgetController],
  providers: [AgentsService],
  exports: [AgentsService],
})
export class AgentsModule {}
