import type { Settings } from '../../platform/config/settings.js';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import type { TenantSettings } from '../../tenancy/principal.js';
import { scrubErrors } from '../../tenancy/scrub-settings.js';
import { parseTenantSlug } from '../../tenancy/tenant.js';
import { consolidationErrors } from '../consolidation/consolidation-settings.js';
import { enrichmentErrors } from '../enrichment/enrichment-settings.js';
import { classErrors } from '../memory/memory-classes.js';
import { weightErrors } from '../memory/ranking-weights.js';
import { timeZoneErrors } from '../memory/recall-time.js';
import { slugFromName, type TenantOrder } from './tenant-provisioning.service.js';
import type { ProvisionTenantDto, TenantFieldsDto } from './tenants.dto.js';
import type { TenantChange } from './tenants.service.js';

/** Throws `RequestInvalid`. */
export function orderOf(dto: ProvisionTenantDto, settings: Settings): TenantOrder {
  const slug = dto.tenant_id === undefined ? slugFromName(dto.name ?? '') : parseTenantSlug(dto.tenant_id);
  if (slug === null) {
    const message =
      dto.tenant_id === undefined
        ? 'is needed, or a name that one can be made from'
        : 'must be 1 to 48 of a-z, 0-9, - and _, begin and end with a letter or digit, and be no UUID';
    throw new RequestInvalid([{ location: 'body.tenant_id', message }]);
  }
  const shortest = settings.mode === 'production' ? 32 : 8;
  if (dto.api_token !== undefined && dto.api_token.length < shortest) {
    throw new RequestInvalid([
      { location: 'body.api_token', message: `must have at least ${shortest} characters` },
    ]);
  }
  const { plan, ...fields } = changeOf(dto);
  return {
    slug,
    plan: plan ?? settings.defaultPlan,
    placement: dto.placement ?? 'shared',
    ...(dto.id === undefined ? {} : { id: dto.id.toLowerCase() }),
    ...(dto.api_token === undefined ? {} : { token: dto.api_token }),
    ...(dto.admin_email === undefined ? {} : { adminEmail: dto.admin_email }),
    name: fields.name ?? slug,
    settings: fields.settings ?? {},
    features: fields.features ?? null,
    metadata: fields.metadata ?? {},
    ...(fields.contactEmail ? { contactEmail: fields.contactEmail } : {}),
    ...(fields.contactName ? { contactName: fields.contactName } : {}),
    ...(fields.domain ? { domain: fields.domain } : {}),
    ...(fields.platform ? { platform: fields.platform } : {}),
    ...(fields.credentials ? { credentials: fields.credentials } : {}),
  };
}

/**
 * Throws `RequestInvalid` where the two words for a plan disagree, or a quota is no number. Features that an operator gives
 * are on: what the tenant had turned off before does not outlive it.
 */
export function changeOf(dto: TenantFieldsDto): TenantChange {
  if (dto.plan !== undefined && dto.plan_tier !== undefined && dto.plan !== dto.plan_tier) {
    throw new RequestInvalid([{ location: 'body.plan', message: 'must be the same as plan_tier' }]);
  }
  const plan = dto.plan_tier ?? dto.plan;
  checkQuotas(dto.settings?.quotas);
  checkSettings(dto.settings);
  return {
    ...(dto.name === undefined ? {} : { name: dto.name }),
    ...(plan === undefined ? {} : { plan }),
    ...(dto.contact_email === undefined ? {} : { contactEmail: dto.contact_email }),
    ...(dto.contact_name === undefined ? {} : { contactName: dto.contact_name }),
    ...(dto.domain === undefined ? {} : { domain: dto.domain?.toLowerCase() ?? null }),
    ...(dto.platform === undefined ? {} : { platform: dto.platform }),
    ...(dto.api_credentials === undefined ? {} : { credentials: dto.api_credentials }),
    ...(dto.settings === undefined ? {} : { settings: dto.settings }),
    ...(dto.features === undefined ? {} : { features: dto.features, featuresOff: [] }),
    ...(dto.metadata === undefined ? {} : { metadata: dto.metadata }),
  };
}

/** Throws `RequestInvalid` where settings hold what those who read them would not understand. */
export function checkSettings(settings: TenantSettings | undefined): void {
  const errors = [
    ...weightErrors(settings),
    ...timeZoneErrors(settings),
    ...classErrors(settings),
    ...consolidationErrors(settings),
    ...enrichmentErrors(settings),
    ...scrubErrors(settings),
  ];
  if (errors.length > 0) throw new RequestInvalid(errors);
}

export function checkQuotas(quotas: unknown): void {
  if (quotas === undefined || quotas === null) return;
  if (typeof quotas !== 'object' || Array.isArray(quotas)) {
    throw new RequestInvalid([{ location: 'body.settings.quotas', message: 'must be an object' }]);
  }
  const bad = Object.entries(quotas as Record<string, unknown>).filter(
    ([, value]) => value !== null && !(typeof value === 'number' && Number.isFinite(value) && value >= 0),
  );
  if (bad.length > 0) {
    throw new RequestInvalid(
      bad.map(([name]) => ({
        location: `body.settings.quotas.${name}`,
        message: 'must be a number, 0 or more',
      })),
    );
  }
}
