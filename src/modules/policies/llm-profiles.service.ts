import { Injectable } from '@nestjs/common';
import type { Cause } from '../../ledger/cause.js';
import { changedMembers } from '../../ledger/changed-members.js';
import { ControlPlane } from '../../ledger/control-plane.js';
import { WHOLE_TENANT } from '../../ledger/ledger.js';
import { TenantSecrets, type SecretName } from '../../ledger/tenant-secrets.js';
import type { Tenant } from '../../tenancy/principal.js';
import { readPolicy, writePolicy } from './tenant-policies.js';

/** An endpoint that the tenant pays for itself, beside the one of `base_url`. */
export interface LlmProvider {
  name: string;
  base_url: string;
  models: string[];
}

/** Whose models answer a tenant's agents. No key is in it. */
export interface LlmProfile {
  /** Null: the server's own. */
  default_model: string | null;
  /** Asked in turn where the one before it does not answer. */
  fallback_chain: string[];
  base_url: string | null;
  providers: LlmProvider[];
  /** 0: no model is asked. More is kept, and held against nothing so far. */
  budget_usd_monthly: number | null;
  enable_caching: boolean;
}

/** By endpoint: null stands for that of `base_url`. Undefined: stays as it is; null: removed. */
export type NewKeys = ReadonlyMap<string | null, string | null | undefined>;

/** A profile, and which of its endpoints have a key. */
export interface ShownProfile {
  profile: LlmProfile;
  withKey: ReadonlySet<string | null>;
}

export const DEFAULT_PROFILE: Readonly<LlmProfile> = {
  default_model: null,
  fallback_chain: [],
  base_url: null,
  providers: [],
  budget_usd_monthly: null,
  enable_caching: true,
};

const PREFIX = 'llm/';
const MAIN_KEY: SecretName = 'llm/key';

/** A key goes to the URL that it was given for and to no other: where that changes, the key is gone. */
@Injectable()
export class LlmProfilesService {
  constructor(
    private readonly control: ControlPlane,
    private readonly secrets: TenantSecrets,
  ) {}

  async get(tenant: Tenant): Promise<ShownProfile> {
    const profile = await this.profile(tenant);
    const names = await this.secrets.names(tenant, PREFIX);
    return shown(profile, new Set(names));
  }

  async profile(tenant: Tenant): Promise<LlmProfile> {
    const profile = await this.control.read(tenant, WHOLE_TENANT, (tx) =>
      readPolicy<LlmProfile>(tx, 'llm_profile'),
    );
    return profile ?? DEFAULT_PROFILE;
  }

  /**
   * For calling `provider`, or the endpoint of `base_url` where that is null, at this URL. Null: the tenant has given none
   * for it, or has by now another URL there.
   */
  async key(tenant: Tenant, provider: string | null, url: string): Promise<string | null> {
    // In this order: whatever changes meanwhile, a key is of the URL that is seen after it.
    const key = await this.secrets.open(tenant, secretOf(provider));
    const profile = await this.profile(tenant);
    return endpointsOf(profile).get(provider) === url ? key : null;
  }

  async put(tenant: Tenant, profile: LlmProfile, keys: NewKeys, cause: Cause): Promise<ShownProfile> {
    const { result } = await this.control.write(tenant, WHOLE_TENANT, cause, async (tx) => {
      const before = (await readPolicy<LlmProfile>(tx, 'llm_profile')) ?? DEFAULT_PROFILE;
      const rows = await tx.rows<{ name: SecretName }>(
        'SELECT name FROM tenant_secrets WHERE tenant_id = $1 AND starts_with(name, $2)',
        [tenant.id, PREFIX],
      );
      const held = new Set(rows.map(({ name }) => name));
      const replaced: (string | null)[] = [];
      for (const [endpoint, url] of endpointsOf(profile)) {
        const name = secretOf(endpoint);
        const given = keys.get(endpoint);
        const stays = given === undefined && url === endpointsOf(before).get(endpoint);
        if (typeof given === 'string') {
          this.secrets.put(tx, name, given);
          held.add(name);
          replaced.push(endpoint ?? 'base_url');
        } else if (!stays && held.delete(name)) this.secrets.remove(tx, name);
      }
      const wanted = new Set([...endpointsOf(profile).keys()].map(secretOf));
      for (const name of held) if (!wanted.has(name)) this.secrets.remove(tx, name);
      writePolicy(tx, 'llm_profile', profile);
      const detail = { ...changedMembers(before, profile), keys_replaced: replaced };
      tx.record('llm_profile.update', null, tenant.id, detail);
      return shown(profile, held);
    });
    return result;
  }
}

function endpointsOf({ base_url, providers }: LlmProfile): Map<string | null, string | null> {
  return new Map([[null, base_url], ...providers.map(({ name, base_url: url }) => [name, url] as const)]);
}

function secretOf(endpoint: string | null): SecretName {
  return endpoint === null ? MAIN_KEY : `llm/provider/${endpoint}`;
}

function shown(profile: LlmProfile, held: ReadonlySet<SecretName>): ShownProfile {
  const endpoints = [...endpointsOf(profile).keys()];
  return { profile, withKey: new Set(endpoints.filter((endpoint) => held.has(secretOf(endpoint)))) };
}
