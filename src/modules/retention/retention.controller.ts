import { Body, Controller, HttpCode } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ForScope } from '../../tenancy/access.decorator.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { RetentionRunDto, RunRetentionDto } from './retention.dto.js';
import { Retention } from './retention.service.js';

/** Somebody waits for the answer. */
const AT_MOST_MS = 15_000;

@ApiTags('tenant')
@ApiBearerAuth()
@ForScope('manage')
@Controller('v1/tenants/current/retention-policies')
export class RetentionController {
  constructor(
    private readonly context: TenantContext,
    private readonly retention: Retention,
  ) {}

  @IdempotentPost('run')
  @HttpCode(200)
  @ApiOperation({ summary: 'Delete now what is kept no longer, as every day; or tell what would go' })
  @ApiResponse({ status: 200, type: RetentionRunDto })
  async run(@Body() dto: RunRetentionDto): Promise<RetentionRunDto> {
    // Many transactions, of which none is the one that would keep the answer: that is kept when all is done.
    const cause = { ...this.context.cause(() => ({ status: 200, body: null })), claim: null };
    const { dryRun, classes, erased, complete } = await this.retention.run(this.context.tenant, {
      dryRun: dto.dry_run,
      now: new Date(),
      cause,
      signal: AbortSignal.timeout(AT_MOST_MS),
    });
    return {
      status: 'success',
      dry_run: dryRun,
      classes: classes.map(({ before, ids, ...report }) => ({
        ...report,
        before: before?.toISOString() ?? null,
        memory_ids: ids,
      })),
      erased_count: erased,
      complete,
    };
  }
}
