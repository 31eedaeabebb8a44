import { Controller, HttpCode, Param } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { ProjectionVerdict } from '../../spaces/projection-verdict.js';
import { SpaceMoved } from '../../spaces/space-errors.js';
import { Verification } from '../../spaces/verification.js';
import { TenantNotFound } from '../../tenancy/tenancy-errors.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { ForOperator } from '../../tenancy/access.decorator.js';
import type { Tenant } from '../../tenancy/principal.js';
import { TenantDirectory } from '../../tenancy/tenant-directory.js';
import { TenantIsDeleted } from './tenants.errors.js';
import { TenantsService } from './tenants.service.js';

/** A tenant that moves more often than this while it is looked at is somebody's mistake. */
const MOST_TRIES = 3;

class DifferencesDto {
  @ApiProperty({ type: Number }) count!: number;
  @ApiProperty({ type: [String], description: 'At most ten, as kind/workspace/id' }) examples!: string[];
}

class ProjectionVerdictDto {
  @ApiProperty({ type: Boolean }) equal!: boolean;
  @ApiProperty({ type: Number }) in_ledger!: number;
  @ApiProperty({ type: Number }) in_projection!: number;
  @ApiProperty({ type: DifferencesDto }) missing!: DifferencesDto;
  @ApiProperty({ type: DifferencesDto }) surplus!: DifferencesDto;
  @ApiProperty({ type: DifferencesDto, description: 'At another revision' }) stale!: DifferencesDto;
  @ApiProperty({ type: DifferencesDto, description: 'At the same revision, with other content' })
  changed!: DifferencesDto;
}

class VerdictDto {
  @ApiProperty({ type: String }) tenant_id!: string;
  @ApiProperty({ type: Boolean, description: 'Every projection equals its ledger' }) equal!: boolean;
  @ApiProperty({ type: ProjectionVerdictDto }) vectors!: ProjectionVerdictDto;
  @ApiProperty({ type: ProjectionVerdictDto }) graph!: ProjectionVerdictDto;
}

/** Whether a tenant's projections are what its ledger says, and building them anew. */
@ApiTags('operators')
@ApiBearerAuth()
@ForOperator()
@Controller('admin/tenants/:tenant')
export class TenantProjectionsController {
  constructor(
    private readonly tenants: TenantsService,
    private readonly directory: TenantDirectory,
    private readonly verification: Verification,
  ) {}

  @IdempotentPost('verify')
  @HttpCode(200)
  @ApiOperation({ summary: "Hold a tenant's projections against its ledger" })
  @ApiResponse({ status: 200, type: VerdictDto })
  async verify(@Param('tenant') ref: string): Promise<VerdictDto> {
    return this.whereItIs(ref, (tenant) => this.verdict(tenant));
  }

  @IdempotentPost('rebuild')
  @HttpCode(200)
  @ApiOperation({ summary: "Build a tenant's projections anew from its ledger, and verify them" })
  @ApiResponse({ status: 200, type: VerdictDto })
  async rebuild(@Param('tenant') ref: string): Promise<VerdictDto> {
    return this.whereItIs(ref, async (tenant) => {
      await this.verification.rebuild(tenant);
      return this.verdict(tenant);
    });
  }

  /** Begins again where the tenant was moved meanwhile. */
  private async whereItIs(ref: string, work: (tenant: Tenant) => Promise<VerdictDto>): Promise<VerdictDto> {
    for (let tries = 1; ; tries++) {
      const tenant = await this.find(ref);
      try {
        return await work(tenant);
      } catch (error) {
        if (!(error instanceof SpaceMoved) || tries === MOST_TRIES) throw error;
      }
    }
  }

  private async verdict(tenant: Tenant): Promise<VerdictDto> {
    const { vectors, graph } = await this.verification.verify(tenant);
    return {
      tenant_id: tenant.slug,
      equal: vectors.equal && graph.equal,
      vectors: verdictDto(vectors),
      graph: verdictDto(graph),
    };
  }

  private async find(ref: string): Promise<Tenant> {
    const { id, slug, state } = await this.tenants.get(ref);
    if (state === 'deleted') throw new TenantIsDeleted(slug);
    const tenant = await this.directory.tenantById(id);
    if (tenant === null) throw new TenantNotFound();
    return tenant;
  }
}

function verdictDto({ inLedger, inProjection, ...verdict }: ProjectionVerdict): ProjectionVerdictDto {
  return { ...verdict, in_ledger: inLedger, in_projection: inProjection };
}
