import { Body, Controller, Delete, Get, Headers, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { KeptAnswer } from '../../ledger/idempotency.js';
import { readCursor } from '../../platform/http/cursor.js';
import { parseInstant } from '../../platform/http/instant.js';
import { ForScopeOrOperator } from '../../tenancy/access.decorator.js';
import { ShowsSecret } from '../../tenancy/idempotency.interceptor.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import type { TenantWorkspace } from '../../tenancy/tenant-directory.js';
import { isUuid } from '../../tenancy/tenant.js';
import { WorkspaceResolver } from '../../tenancy/workspace-resolver.js';
import { orderOf } from './key-grant.js';
import { KeyManagers, type KeyManager } from './key-managers.js';
import { keyDto, keyListDto, rotatedDto } from './key-replies.js';
import {
  CreatedKeyDto,
  CreateWorkspaceKeyDto,
  KeyListDto,
  ListKeysDto,
  RevokedKeyDto,
  RotatedKeyDto,
  RotateKeyDto,
} from './keys.dto.js';
import { TenantKeys, type MadeKey, type RotatedKey } from './tenant-keys.service.js';
import { KeyNotFound } from './tenants.errors.js';

/**
 * The keys of one workspace, as its tenant manages them, or the operator. Those that reach the whole tenant are managed
 * with its default workspace, where they are at home.
 */
@ApiTags('tenant')
@ApiBearerAuth()
@ForScopeOrOperator('manage')
@Controller('v1/workspaces/:workspace/api-keys')
export class WorkspaceKeysController {
  constructor(
    private readonly context: TenantContext,
    private readonly workspaces: WorkspaceResolver,
    private readonly managers: KeyManagers,
    private readonly keys: TenantKeys,
  ) {}

  @IdempotentPost()
  @ShowsSecret()
  @ApiOperation({ summary: 'Make a key; it may do no more than who makes it' })
  @ApiResponse({ status: 201, type: CreatedKeyDto })
  async create(
    @Param('workspace') workspace: string,
    @Headers('x-tenant-id') tenant: string | undefined,
    @Body() dto: CreateWorkspaceKeyDto,
  ): Promise<CreatedKeyDto> {
    const place = await this.workspaces.ofPath(this.context.principal, workspace, tenant);
    const by = this.manager<MadeKey>(place, ({ row }) => ({ status: 201, body: keyDto(row) }));
    const expiresAt = dto.expires_at === undefined ? null : parseInstant(dto.expires_at);
    const whole = isAtHome(place) ? 'if asked' : 'never';
    const order = orderOf({ ...dto, expiresAt }, { workspace: place.workspace, whole }, by.holds, Date.now());
    const { row, key } = await this.keys.create(by, order);
    return { ...keyDto(row), key };
  }

  @Get()
  @ApiOperation({ summary: "A workspace's keys, newest first; never the keys themselves" })
  @ApiResponse({ status: 200, type: KeyListDto })
  async list(
    @Param('workspace') workspace: string,
    @Headers('x-tenant-id') tenant: string | undefined,
    @Query() query: ListKeysDto,
  ): Promise<KeyListDto> {
    const place = await this.workspaces.ofPath(this.context.principal, workspace, tenant);
    const after = query.cursor === undefined ? null : readCursor(query.cursor);
    return keyListDto(await this.keys.list(this.manager(place), query.limit, after));
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Revoke a key: refused everywhere within a second' })
  @ApiResponse({ status: 200, type: RevokedKeyDto })
  async revoke(
    @Param('workspace') workspace: string,
    @Headers('x-tenant-id') tenant: string | undefined,
    @Param('id') id: string,
  ): Promise<RevokedKeyDto> {
    const place = await this.workspaces.ofPath(this.context.principal, workspace, tenant);
    if (!isUuid(id)) throw new KeyNotFound();
    await this.keys.revoke(this.manager(place), id.toLowerCase());
    return { id: id.toLowerCase(), is_active: false };
  }

  @IdempotentPost(':id/rotate')
  @ShowsSecret()
  @ApiOperation({ summary: 'Make a key that takes over from this one, which goes on for a while' })
  @ApiResponse({ status: 201, type: RotatedKeyDto })
  async rotate(
    @Param('workspace') workspace: string,
    @Headers('x-tenant-id') tenant: string | undefined,
    @Param('id') id: string,
    @Body() dto: RotateKeyDto,
  ): Promise<RotatedKeyDto> {
    const place = await this.workspaces.ofPath(this.context.principal, workspace, tenant);
    if (!isUuid(id)) throw new KeyNotFound();
    const by = this.manager<RotatedKey>(place, (made) => ({ status: 201, body: rotatedDto(made) }));
    const rotated = await this.keys.rotate(by, id.toLowerCase(), dto.overlap_seconds);
    return { ...rotatedDto(rotated), key: rotated.key };
  }

  private manager<Result>(
    place: TenantWorkspace,
    answer: (result: Result) => KeptAnswer = () => ({ status: 200, body: null }),
  ): KeyManager {
    const { tenant, workspace } = place;
    const manages = { workspace, whole: isAtHome(place) };
    return this.managers.of(this.context.principal, tenant, manages, this.context.cause(answer));
  }
}

/** Whether this is the workspace that a key of the whole tenant is in, unless it names another. */
function isAtHome({ tenant, workspace }: TenantWorkspace): boolean {
  return workspace === tenant.defaultWorkspace;
}
