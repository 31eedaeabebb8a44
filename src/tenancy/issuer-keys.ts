import { createLocalJWKSet, type JSONWebKeySet, type JWSHeaderParameters, type LocalJWKSet } from 'jose';
import { LRUCache } from 'lru-cache';
import { DomainError } from '../platform/errors/domain-error.js';
import { FetchRefused, GuardedFetch } from '../platform/outgoing/guarded-fetch.js';

/** The issuer's keys are needed, and cannot be had. */
export class IssuerUnavailable extends DomainError<'issuer.unavailable'> {
  readonly code = 'issuer.unavailable';
  constructor(issuer: string, cause: unknown) {
    super("The identity provider's keys cannot be fetched.", {
      internal: `${issuer}: ${cause instanceof Error ? cause.message : String(cause)}`,
      retryAfter: FAILED_MS / 1000,
    });
  }
}

const LIMITS = { ms: 5_000, bytes: 256 * 1024 };
/** Keys are fetched again after so long, */
const FRESH_MS = 10 * 60_000;
/** and used on for so long where that fails. */
const USABLE_MS = 60 * 60_000;
/** An unknown `kid` fetches them sooner: issuers change their keys. No more often than this: anybody can make one up. */
const UNKNOWN_KID_MS = 30_000;
/** An issuer that failed is left alone for so long. */
const FAILED_MS = 5_000;
const MOST_ISSUERS = 5_000;

/** What is known of one issuer; times of the clock, -Infinity where it never was. */
class Issuer {
  keys: LocalJWKSet | null = null;
  fetchedAt = -Infinity;
  refetchedAt = -Infinity;
  failedAt = -Infinity;
  failure: IssuerUnavailable | null = null;
  asking: Promise<LocalJWKSet> | null = null;
}

/**
 * Identity providers' public keys: found by OpenID discovery, kept for ten minutes. However many tokens come at once,
 * an issuer is asked once.
 */
export class IssuerKeys {
  private readonly issuers = new LRUCache<string, Issuer>({ max: MOST_ISSUERS });

  constructor(
    private readonly fetch: GuardedFetch,
    /** Milliseconds, of a clock that never goes back. */
    private readonly now: () => number,
  ) {}

  /** The key that a token's header names. Throws `IssuerUnavailable`, and jose's own errors where there is no such key. */
  async keyOf(url: string, header: JWSHeaderParameters): ReturnType<LocalJWKSet> {
    const issuer = this.issuers.get(url) ?? new Issuer();
    this.issuers.set(url, issuer);
    const keys = await this.keysOf(url, issuer);
    try {
      return await keys(header);
    } catch (error) {
      const isUnknown = (error as { code?: unknown }).code === 'ERR_JWKS_NO_MATCHING_KEY';
      const now = this.now();
      if (!isUnknown || now - issuer.refetchedAt < UNKNOWN_KID_MS) throw error;
      issuer.refetchedAt = now;
      const newer = await this.ask(url, issuer);
      return newer(header);
    }
  }

  private async keysOf(url: string, issuer: Issuer): Promise<LocalJWKSet> {
    const now = this.now();
    const { keys, fetchedAt, failure } = issuer;
    if (keys !== null && now - fetchedAt < FRESH_MS) return keys;
    const usable = now - fetchedAt < USABLE_MS ? keys : null;
    if (failure !== null && now - issuer.failedAt < FAILED_MS) {
      if (usable === null) throw failure;
      return usable;
    }
    return this.ask(url, issuer).catch((error: unknown) => {
      if (usable === null) throw error;
      return usable;
    });
  }

  private ask(url: string, issuer: Issuer): Promise<LocalJWKSet> {
    issuer.asking ??= this.discover(url)
      .then(
        (keys) => {
          Object.assign(issuer, { keys, fetchedAt: this.now(), failure: null });
          return keys;
        },
        (error: unknown) => {
          issuer.failure = new IssuerUnavailable(url, error);
          issuer.failedAt = this.now();
          throw issuer.failure;
        },
      )
      .finally(() => (issuer.asking = null));
    return issuer.asking;
  }

  /** OpenID Connect Discovery 1.0, section 4. */
  private async discover(issuer: string): Promise<LocalJWKSet> {
    const about = await this.json(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
    // Section 4.3: who answers must be who was asked.
    if (about['issuer'] !== issuer) throw new FetchRefused(`${issuer} says that it is another issuer`);
    if (typeof about['jwks_uri'] !== 'string') throw new FetchRefused(`${issuer} names no keys`);
    const keys = await this.json(about['jwks_uri']);
    return createLocalJWKSet(keys as unknown as JSONWebKeySet);
  }

  private async json(url: string): Promise<Record<string, unknown>> {
    const body: unknown = JSON.parse((await this.fetch.get(url, LIMITS)).toString('utf8'));
    if (typeof body !== 'object' || body === null) throw new FetchRefused(`${url} holds no JSON object`);
    return body as Record<string, unknown>;
  }
}
