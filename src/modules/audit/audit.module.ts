import { Module } from '@nestjs/common';
import { AuditRetention } from './audit-retention.service.js';
import { AuditVerification } from './audit-verification.service.js';
import { AuditController } from './audit.controller.js';
import { AuditService } from './audit.service.js';
import { Refusals } from './refusals.js';
import { TenantAuditController } from './tenant-audit.controller.js';

/** What was put on record: read, exported, verified, and forgotten when it is due. */
@Module({
  controllers: [AuditController, TenantAuditController],
  providers: [AuditService, AuditRetention, AuditVerification, Refusals],
})
export class AuditModule {}
