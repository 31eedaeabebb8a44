import { Injectable } from '@nestjs/common';
import { decodeJwt, jwtVerify, type JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import { DomainError } from '../platform/errors/domain-error.js';
import { IssuerKeys } from './issuer-keys.js';
import { MemberDirectory, type Bearer, type OidcConfig } from './member-directory.js';
import { OWN_ISSUER, verifyMemberToken } from './member-token.js';
import { scopesOf, type MemberPrincipal, type Scope } from './principal.js';
import { isUuid, parseTenantId } from './tenant.js';

/** What an issuer may sign with. Nothing that is verified with a secret, and nothing that is not signed. */
export const OIDC_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;
export type OidcAlgorithm = (typeof OIDC_ALGORITHMS)[number];

/** How far an issuer's clock may be from ours. */
const ISSUERS_SKEW_SECONDS = 60;
/** A token is verified again after so long, so that a key that its issuer has withdrawn stops being good. */
const VERIFIED_MS = 10 * 60_000;
const MOST_CHARACTERS = 8_192;
const MOST_AUDIENCES = 20;

/** A token whose signature and times were checked, once. Whether its member may still come is asked each time. */
interface Verified {
  bearer: Bearer;
  /** The scopes that the token names. */
  scopes: ReadonlySet<Scope>;
  /** Of `Date.now()`. */
  until: number;
}

const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Has it the shape of a JWT? A key that a tenant brought along may have it too. */
export function looksLikeJwt(token: string): boolean {
  return token.startsWith('ey') && token.length <= MOST_CHARACTERS && JWT.test(token);
}

/**
 * Who comes with a JWT: one of ours, or one of an issuer that a tenant registered. What is wrong with a token is told to
 * nobody: one that is no good is like a key that never was.
 */
@Injectable()
export class JwtBearers {
  private readonly verified = new LRUCache<string, Verified>({ max: 10_000 });

  constructor(
    private readonly directory: MemberDirectory,
    private readonly issuers: IssuerKeys,
  ) {}

  /**
   * `hash` names the token in memory; `until`, of `Date.now()`: how long it may be believed. Null: it is good for nobody.
   * Throws `IssuerUnavailable`.
   */
  async bearerOf(token: string, hash: string): Promise<{ principal: MemberPrincipal; until: number } | null> {
    const known = this.verified.get(hash);
    if (known !== undefined && known.until > Date.now()) {
      const member = await this.directory.memberOf(known.bearer);
      if (member !== null) return { principal: narrowed(member, known), until: known.until };
    }
    this.verified.delete(hash);
    const claims = await believed(() => decodeJwt(token));
    if (claims === null) return null;
    const found =
      claims.iss === OWN_ISSUER ? await this.ofOurs(token, claims) : await this.ofIssuers(token, claims);
    if (found === null) return null;
    const { member, ...verified } = found;
    this.verified.set(hash, verified);
    return { principal: narrowed(member, verified), until: verified.until };
  }

  /** The member is looked up first: the key that must have signed the token comes with its tenant. */
  private async ofOurs(token: string, { sub, tenant_id }: JWTPayload): Promise<Found | null> {
    const tenant = typeof tenant_id === 'string' ? parseTenantId(tenant_id) : null;
    if (tenant === null || typeof sub !== 'string' || !isUuid(sub)) return null;
    const bearer: Bearer = { by: 'loci', tenant, member: sub };
    const member = await this.directory.memberOf(bearer);
    if (member === null) return null;
    const signed = await believed(() => verifyMemberToken(member.tenant.key, token));
    if (signed === null) return null;
    return { member, bearer, scopes: scopesOf(signed.scopes), until: signed.expiresAt.getTime() };
  }

  private async ofIssuers(token: string, unverified: JWTPayload): Promise<Found | null> {
    const config = await this.configOf(unverified);
    if (config === null) return null;
    const verified = await believed(() =>
      jwtVerify(token, (header) => this.issuers.keyOf(config.issuer, header), {
        algorithms: config.algorithms,
        issuer: config.issuer,
        audience: config.audience,
        requiredClaims: ['sub', 'exp'],
        clockTolerance: ISSUERS_SKEW_SECONDS,
      }),
    );
    const subject = textOf(verified?.payload.sub);
    if (verified === null || subject === null) return null;
    const { exp = 0, email, email_verified, tenant_id, scope, scp } = verified.payload;
    const bearer: Bearer = {
      by: 'issuer',
      config,
      subject,
      email: email_verified === true ? textOf(email) : null,
    };
    const member = await this.directory.memberOf(bearer);
    if (member === null) return null;
    const { id, slug } = member.tenant;
    if (tenant_id !== undefined && tenant_id !== id && tenant_id !== slug) return null;
    return {
      member,
      bearer,
      // In the words of RFC 8693, or of Entra.
      scopes: scopesOf(textsOf(scope ?? scp).flatMap((words) => words.split(' '))),
      until: Math.min((exp + ISSUERS_SKEW_SECONDS) * 1000, Date.now() + VERIFIED_MS),
    };
  }

  /** The one that `iss` and `aud` name together. Two tenants' audiences in one token name neither. */
  private async configOf({ iss, aud }: JWTPayload): Promise<OidcConfig | null> {
    const issuer = textOf(iss);
    const audiences = textsOf(aud);
    if (issuer === null || audiences.length === 0 || audiences.length > MOST_AUDIENCES) return null;
    const [config, another] = await this.directory.configsOf(issuer, audiences);
    return config === undefined || another !== undefined ? null : config;
  }
}

type Found = Verified & { member: MemberPrincipal };

/**
 * A token of ours does no more than it says. Of an issuer's, which speaks of other things in its `scope`, only a program's
 * does: what a person may do is said by their role.
 */
function narrowed(member: MemberPrincipal, { bearer, scopes }: Verified): MemberPrincipal {
  if (bearer.by === 'issuer' && member.role !== 'service_account') return member;
  return { ...member, scopes: new Set([...member.scopes].filter((scope) => scopes.has(scope))) };
}

/** Null where the token is at fault; what is nobody's fault but ours, or an issuer's, is thrown on. */
async function believed<T>(read: () => T | Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof DomainError) throw error;
    return null;
  }
}

/** A claim that PostgreSQL can be asked for. */
function textOf(claim: unknown): string | null {
  return typeof claim === 'string' && claim !== '' && claim.length <= 1_024 && !claim.includes('\0')
    ? claim
    : null;
}

function textsOf(claim: unknown): string[] {
  return [claim].flat().flatMap((one) => textOf(one) ?? []);
}
