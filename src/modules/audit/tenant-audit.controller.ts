import { Controller, Get, Headers, Query, type StreamableFile } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiExtraModels,
  ApiOperation,
  ApiResponse,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { ForScope } from '../../tenancy/access.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { answerWith, auditRecordDto, NDJSON } from './audit-replies.js';
import { AuditListDto, AuditRecordDto, ListAuditDto } from './audit.dto.js';
import { AuditService } from './audit.service.js';

/** A tenant's own record: whoever manages the tenant reads all of it. */
@ApiTags('tenant')
@ApiBearerAuth()
@ApiExtraModels(AuditListDto, AuditRecordDto)
@Controller('v1/tenants/current/audit')
export class TenantAuditController {
  constructor(
    private readonly context: TenantContext,
    private readonly audit: AuditService,
  ) {}

  @Get()
  @ForScope('manage')
  @ApiOperation({ summary: 'What was done and refused, newest first; as NDJSON all of it, oldest first' })
  @ApiResponse({
    status: 200,
    content: {
      'application/json': { schema: { $ref: getSchemaPath(AuditListDto) } },
      [NDJSON]: { schema: { $ref: getSchemaPath(AuditRecordDto) } },
    },
  })
  async list(
    @Query() query: ListAuditDto,
    @Headers('accept') accept: string | undefined,
  ): Promise<AuditListDto | StreamableFile> {
    const { tenant } = this.context;
    return answerWith(
      query,
      accept,
      (filter, page) => this.audit.ofTenant(tenant, filter, page),
      auditRecordDto,
    );
  }
}
