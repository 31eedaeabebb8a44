import { Body, Controller, Get, Put } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import { GuardedFetch } from '../../platform/outgoing/guarded-fetch.js';
import { ForScope } from '../../tenancy/access.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { LlmProfileDto, PutLlmProfileDto } from './llm-profile.dto.js';
import { LlmProfilesService, type ShownProfile } from './llm-profiles.service.js';
import { checkAddress } from './outgoing-address.js';

@ApiTags('tenant')
@ApiBearerAuth()
@ForScope('manage')
@Controller('v1/tenants/current/llm-profile')
export class LlmProfileController {
  constructor(
    private readonly context: TenantContext,
    private readonly profiles: LlmProfilesService,
    private readonly fetch: GuardedFetch,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Whose models answer for this tenant; keys are never shown' })
  @ApiResponse({ status: 200, type: LlmProfileDto })
  async get(): Promise<LlmProfileDto> {
    return profileDto(await this.profiles.get(this.context.tenant));
  }

  @Put()
  @ApiOperation({ summary: 'Say whose models answer for this tenant; changing a URL clears its key' })
  @ApiResponse({ status: 200, type: LlmProfileDto })
  async put(@Body() dto: PutLlmProfileDto): Promise<LlmProfileDto> {
    this.check(dto);
    const { api_key, providers, ...profile } = dto;
    const keys = new Map([
      [null, api_key] as const,
      ...providers.map((provider) => [provider.name, provider.api_key] as const),
    ]);
    const named = providers.map(({ name, base_url, models }) => ({ name, base_url, models }));
    const cause = this.context.cause(() => ({ status: 200, body: null }));
    const wanted = { ...profile, providers: named };
    return profileDto(await this.profiles.put(this.context.tenant, wanted, keys, cause));
  }

  /** Throws `RequestInvalid`. The operator's own key goes to the operator's URL alone, so a key here needs a URL. */
  private check({ base_url, api_key, providers }: PutLlmProfileDto): void {
    checkAddress(this.fetch, 'body.base_url', base_url);
    if (base_url === null && typeof api_key === 'string') {
      throw new RequestInvalid([{ location: 'body.api_key', message: 'needs the base_url that it is for' }]);
    }
    for (const [i, provider] of providers.entries()) {
      checkAddress(this.fetch, `body.providers[${i}].base_url`, provider.base_url);
      if (providers.findIndex(({ name }) => name === provider.name) < i) {
        throw new RequestInvalid([{ location: `body.providers[${i}].name`, message: 'is there already' }]);
      }
    }
  }
}

function profileDto({ profile, withKey }: ShownProfile): LlmProfileDto {
  const { providers, ...rest } = profile;
  return {
    ...rest,
    has_api_key: withKey.has(null),
    providers: providers.map((provider) => ({ ...provider, has_api_key: withKey.has(provider.name) })),
  };
}
