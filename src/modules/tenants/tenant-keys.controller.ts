import { Body, Controller, Delete, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { KeptAnswer } from '../../ledger/idempotency.js';
import { Settings } from '../../platform/config/settings.js';
import { readCursor } from '../../platform/http/cursor.js';
import { parseInstant } from '../../platform/http/instant.js';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import { ForOperator } from '../../tenancy/access.decorator.js';
import { isOwnShape, isPlausible } from '../../tenancy/api-key.js';
import { ShowsSecret } from '../../tenancy/idempotency.interceptor.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { TenantNotFound } from '../../tenancy/tenancy-errors.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { TenantDirectory } from '../../tenancy/tenant-directory.js';
import { isUuid, parseWorkspaceId } from '../../tenancy/tenant.js';
import { EVERY_GRANT, orderOf, type KeyReach } from './key-grant.js';
import { KeyManagers, type KeyManager } from './key-managers.js';
import { keyDto, keyListDto, rotatedDto } from './key-replies.js';
import {
  CreatedKeyDto,
  CreateKeyDto,
  KeyListDto,
  ListKeysDto,
  RevokedKeyDto,
  RotatedKeyDto,
  RotateKeyDto,
} from './keys.dto.js';
import { TenantKeys, type MadeKey, type RotatedKey } from './tenant-keys.service.js';
import { KeyNotFound } from './tenants.errors.js';
import { TenantsService } from './tenants.service.js';

/** An operator's way to a tenant's keys. */
@ApiTags('operators')
@ApiBearerAuth()
@ForOperator()
@Controller('admin/tenants/:tenant/keys')
export class TenantKeysController {
  constructor(
    private readonly context: TenantContext,
    private readonly settings: Settings,
    private readonly tenants: TenantsService,
    private readonly directory: TenantDirectory,
    private readonly managers: KeyManagers,
    private readonly keys: TenantKeys,
  ) {}

  @IdempotentPost()
  @ShowsSecret()
  @ApiOperation({ summary: 'Make a key, or bring along a token that the tenant already has' })
  @ApiResponse({ status: 201, type: CreatedKeyDto })
  async create(@Param('tenant') ref: string, @Body() dto: CreateKeyDto): Promise<CreatedKeyDto> {
    const by = await this.manager<MadeKey>(ref, ({ row }) => ({ status: 201, body: keyDto(row) }));
    if (dto.api_token !== undefined) this.checkToken(dto.api_token);
    const expiresAt = dto.expires_at === undefined ? null : parseInstant(dto.expires_at);
    const named = dto.workspace_id === undefined ? null : parseWorkspaceId(dto.workspace_id);
    const reach: KeyReach =
      named === null
        ? { workspace: by.tenant.defaultWorkspace, whole: 'by default' }
        : { workspace: named, whole: 'never' };
    const order = orderOf({ ...dto, expiresAt }, reach, EVERY_GRANT, Date.now());
    const { row, key } = await this.keys.create(by, order, dto.api_token ?? null);
    return { ...keyDto(row), key };
  }

  @Get()
  @ApiOperation({ summary: "A tenant's keys, newest first; never the keys themselves" })
  @ApiResponse({ status: 200, type: KeyListDto })
  async list(@Param('tenant') ref: string, @Query() query: ListKeysDto): Promise<KeyListDto> {
    const after = query.cursor === undefined ? null : readCursor(query.cursor);
    return keyListDto(await this.keys.list(await this.manager(ref), query.limit, after));
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Revoke a key: refused everywhere within a second' })
  @ApiResponse({ status: 200, type: RevokedKeyDto })
  async revoke(@Param('tenant') ref: string, @Param('id') id: string): Promise<RevokedKeyDto> {
    const by = await this.manager(ref);
    if (!isUuid(id)) throw new KeyNotFound();
    await this.keys.revoke(by, id.toLowerCase());
    return { id: id.toLowerCase(), is_active: false };
  }

  @IdempotentPost(':id/rotate')
  @ShowsSecret()
  @ApiOperation({ summary: 'Make a key that takes over from this one, which goes on for a while' })
  @ApiResponse({ status: 201, type: RotatedKeyDto })
  async rotate(
    @Param('tenant') ref: string,
    @Param('id') id: string,
    @Body() dto: RotateKeyDto,
  ): Promise<RotatedKeyDto> {
    const by = await this.manager<RotatedKey>(ref, (made) => ({ status: 201, body: rotatedDto(made) }));
    if (!isUuid(id)) throw new KeyNotFound();
    const rotated = await this.keys.rotate(by, id.toLowerCase(), dto.overlap_seconds);
    return { ...rotatedDto(rotated), key: rotated.key };
  }

  private async manager<Result>(
    ref: string,
    answer: (result: Result) => KeptAnswer = () => ({ status: 200, body: null }),
  ): Promise<KeyManager> {
    const { id } = await this.tenants.get(ref);
    const tenant = await this.directory.tenantById(id);
    if (tenant === null) throw new TenantNotFound();
    const all = { workspace: null, whole: true };
    return this.managers.of(this.context.principal, tenant, all, this.context.cause(answer));
  }

  private checkToken(token: string): void {
    const shortest = this.settings.mode === 'production' ? 32 : 8;
    const message =
      token.length < shortest
        ? `must have at least ${shortest} characters`
        : isOwnShape(token) && !isPlausible(token)
          ? 'looks like a Loci key and is none: it would be refused as mistyped'
          : null;
    if (message !== null) throw new RequestInvalid([{ location: 'body.api_token', message }]);
  }
}
