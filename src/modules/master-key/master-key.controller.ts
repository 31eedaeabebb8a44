import { Controller, Get, HttpCode } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ForOperator } from '../../tenancy/access.decorator.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { MasterKeyRotation } from './master-key-rotation.service.js';

class MasterKeyDto {
  @ApiProperty({ type: String, description: 'The name of the key that wraps; it tells nothing of the key' })
  key!: string;
  @ApiProperty({ type: [String], description: 'The names of those that this server has' }) known!: string[];
  @ApiProperty({ type: 'integer', description: 'Tenants whose keys are not wrapped by it yet' })
  remaining!: number;
}

class RotatedMasterKeyDto extends MasterKeyDto {
  @ApiProperty({ type: 'integer', description: 'Tenants whose keys were wrapped anew' }) rewrapped!: number;
}

@ApiTags('operators')
@ApiBearerAuth()
@ForOperator()
@Controller('admin/master-key')
export class MasterKeyController {
  constructor(
    private readonly context: TenantContext,
    private readonly rotation: MasterKeyRotation,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Which master key wraps, and whether a rotation is under way' })
  @ApiResponse({ status: 200, type: MasterKeyDto })
  async get(): Promise<MasterKeyDto> {
    const { key, known, remaining } = await this.rotation.state();
    return { key: key.toString('hex'), known: known.map((name) => name.toString('hex')), remaining };
  }

  @IdempotentPost('rotate')
  @HttpCode(200)
  @ApiOperation({ summary: 'Wrap every tenant’s key by the next master key, while servers run' })
  @ApiResponse({ status: 200, type: RotatedMasterKeyDto })
  async rotate(): Promise<RotatedMasterKeyDto> {
    const rewrapped = await this.rotation.rotate(this.context.request.requestId);
    return { ...(await this.get()), rewrapped };
  }
}
