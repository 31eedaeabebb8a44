import { createPrivateKey, createPublicKey, randomUUID, type KeyObject } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { Scope } from './principal.js';
import type { TenantId } from './tenant.js';
import type { TenantKey } from './tenant-key.js';

/** `iss` of the tokens that Loci signs itself. No OIDC issuer is called so: theirs are URLs. */
export const OWN_ISSUER = 'loci';
/** `aud` of them. */
export const OWN_AUDIENCE = 'loci';

export const SHORTEST_TOKEN_SECONDS = 30;
export const TOKEN_SECONDS = 900;
export const LONGEST_TOKEN_SECONDS = 3_600;
/** How far the clocks of two replicas may be apart. */
const REPLICAS_SKEW_SECONDS = 5;

/** Who a token of ours is for. */
export interface MemberClaims {
  tenant: TenantId;
  member: string;
  scopes: readonly Scope[];
}

export interface SignedToken {
  token: string;
  expiresAt: Date;
}

/**
 * Signs with Ed25519, under a key that is derived from the tenant's own and the month, so that it is stored nowhere,
 * every replica has the same, it is another one each month, no tenant's key signs for another, and purging a tenant
 * destroys it.
 */
export async function signMemberToken(
  key: TenantKey,
  { tenant, member, scopes }: MemberClaims,
  { issuedAt, seconds }: { issuedAt: Date; seconds: number },
): Promise<SignedToken> {
  const now = Math.floor(issuedAt.getTime() / 1000);
  const token = await new SignJWT({ tenant_id: tenant, scope: scopes.join(' ') })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: monthOf(now) })
    .setIssuer(OWN_ISSUER)
    .setAudience(OWN_AUDIENCE)
    .setSubject(member)
    .setJti(randomUUID())
    .setIssuedAt(now)
    .setExpirationTime(now + seconds)
    .sign(signingKey(key, monthOf(now)));
  return { token, expiresAt: new Date((now + seconds) * 1000) };
}

/** The words of `scope`, and when the token ends. Throws where anything of the token is not as it was signed. */
export async function verifyMemberToken(
  key: TenantKey,
  token: string,
): Promise<{ scopes: string[]; expiresAt: Date }> {
  const { payload, protectedHeader } = await jwtVerify(
    token,
    ({ kid }) => {
      if (kid === undefined || !/^\d{4}-\d\d$/.test(kid))
        throw new Error('no token of ours: kid is no month');
      return createPublicKey(signingKey(key, kid));
    },
    {
      algorithms: ['EdDSA'],
      typ: 'JWT',
      issuer: OWN_ISSUER,
      audience: OWN_AUDIENCE,
      requiredClaims: ['sub', 'iat', 'exp', 'tenant_id', 'scope'],
      clockTolerance: REPLICAS_SKEW_SECONDS,
      maxTokenAge: LONGEST_TOKEN_SECONDS,
    },
  );
  const { exp = 0, iat = 0, scope } = payload;
  // A month's key signs for that month alone: stolen, it is worth no more.
  if (protectedHeader.kid !== monthOf(iat)) throw new Error('a token signed with the key of another month');
  return { scopes: String(scope).split(' '), expiresAt: new Date(exp * 1000) };
}

/** `2026-11`, of a time in seconds. */
function monthOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 7);
}

/** RFC 8410: what stands before the 32 bytes of an Ed25519 key in PKCS#8. */
const ED25519_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

function signingKey(key: TenantKey, month: string): KeyObject {
  const seed = key.hash('member tokens', month);
  return createPrivateKey({ key: Buffer.concat([ED25519_PREFIX, seed]), format: 'der', type: 'pkcs8' });
}
