import { Controller, Get } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ForOperator } from '../../tenancy/access.decorator.js';
import { InstallationStatsService } from './installation-stats.service.js';

class TenantsByStateDto {
  @ApiProperty({ type: Number }) total!: number;
  @ApiProperty({ type: Number }) active!: number;
  @ApiProperty({ type: Number }) suspended!: number;
  @ApiProperty({ type: Number }) deleted!: number;
}

class RunningJobsDto {
  @ApiProperty({ type: Number, description: 'Tenants on their way to another placement' }) moves!: number;
}

class InstallationStatsDto {
  @ApiProperty({ type: TenantsByStateDto }) tenants!: TenantsByStateDto;
  @ApiProperty({ type: Number, description: 'Here and below: of tenants that are not deleted' })
  workspaces!: number;
  @ApiProperty({ type: Number }) agents!: number;
  @ApiProperty({ type: Number }) memories!: number;
  @ApiProperty({ type: Number }) documents!: number;
  @ApiProperty({ type: Number }) chunks!: number;
  @ApiProperty({ type: RunningJobsDto }) jobs!: RunningJobsDto;
  @ApiProperty({ type: [String], description: 'Databases that do not answer: not counted' }) away!: string[];
  @ApiProperty({ type: String, format: 'date-time' }) as_of!: string;
}

/** The installation as a whole. */
@ApiTags('operators')
@ApiBearerAuth()
@ForOperator()
@Controller('admin/stats')
export class InstallationStatsController {
  constructor(private readonly installation: InstallationStatsService) {}

  @Get()
  @ApiOperation({ summary: 'What the installation holds, over all tenants' })
  @ApiResponse({ status: 200, type: InstallationStatsDto })
  async get(): Promise<InstallationStatsDto> {
    const { tenants, moving, ...counts } = await this.installation.read();
    const total = Object.values(tenants).reduce((sum, n) => sum + n, 0);
    return {
      tenants: { total, ...tenants },
      ...counts,
      // Documents come with the knowledge base; until then there are none.
      documents: 0,
      chunks: 0,
      jobs: { moves: moving },
      as_of: new Date().toISOString(),
    };
  }
}
