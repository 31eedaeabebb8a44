import { Controller, Get, Headers, Query, type StreamableFile } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiExtraModels,
  ApiOperation,
  ApiResponse,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { ForOperator } from '../../tenancy/access.decorator.js';
import { answerWith, installationRecordDto, NDJSON, verificationDto } from './audit-replies.js';
import { AuditVerification } from './audit-verification.service.js';
import {
  AuditVerificationDto,
  InstallationAuditDto,
  InstallationRecordDto,
  ListAllAuditDto,
  VerifyAuditDto,
} from './audit.dto.js';
import { AuditService } from './audit.service.js';

/** The record of the whole installation, as its operator reads it. What tells of tenants' content is withheld. */
@ApiTags('operators')
@ApiBearerAuth()
@ApiExtraModels(InstallationAuditDto, InstallationRecordDto)
@ForOperator()
@Controller('admin/audit')
export class AuditController {
  constructor(
    private readonly audit: AuditService,
    private readonly verification: AuditVerification,
  ) {}

  @Get()
  @ApiOperation({ summary: 'What was done and refused, newest first; as NDJSON all of it, oldest first' })
  @ApiResponse({
    status: 200,
    content: {
      'application/json': { schema: { $ref: getSchemaPath(InstallationAuditDto) } },
      [NDJSON]: { schema: { $ref: getSchemaPath(InstallationRecordDto) } },
    },
  })
  async list(
    @Query() query: ListAllAuditDto,
    @Headers('accept') accept: string | undefined,
  ): Promise<InstallationAuditDto | StreamableFile> {
    const tenant = query.tenant === undefined ? undefined : await this.audit.tenantNamed(query.tenant);
    return answerWith(
      query,
      accept,
      (filter, page) => this.audit.ofAll(tenant, filter, page),
      installationRecordDto,
    );
  }

  @Get('verify')
  @ApiOperation({ summary: 'Does each chain of records still say what was written?' })
  @ApiResponse({ status: 200, type: AuditVerificationDto })
  async verify(@Query() query: VerifyAuditDto): Promise<AuditVerificationDto> {
    if (query.tenant === undefined) return verificationDto(this.verification.all(), false);
    const tenant = await this.audit.tenantNamed(query.tenant);
    return verificationDto(this.verification.of(tenant), true);
  }
}
