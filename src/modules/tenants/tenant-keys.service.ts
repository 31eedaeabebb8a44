import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { bringToken, mintKey, type MintedKey } from '../../tenancy/api-key.js';
import { OperatorToken } from '../../tenancy/operator-token.js';
import { PRINCIPALS_CHANNEL, PrincipalCache } from '../../tenancy/principal-cache.js';
import { WorkspaceNotFound } from '../../tenancy/tenancy-errors.js';
import { checkWithin, type KeyOrder } from './key-grant.js';
import type { KeyChange, KeyManager } from './key-managers.js';
import { endKey, insertKey, lockKey, readKeys, type KeyPlace, type KeyRow } from './key-rows.js';
import { KeyInUse, KeyNotFound, KeyRotated, TenantIsDeleted } from './tenants.errors.js';

/** A key that was made now: the only time that it is seen. */
export interface MadeKey {
  row: KeyRow;
  key: string;
}

export interface RotatedKey extends MadeKey {
  replaced: { id: string; until: Date };
}

/** The keys of a tenant, and their life. */
@Injectable()
export class TenantKeys {
  constructor(
    private readonly principals: PrincipalCache,
    private readonly operator: OperatorToken,
  ) {}

  /**
   * `token`: one that the tenant already has. Throws `KeyInUse`, `WorkspaceNotFound`, `TenantIsDeleted`.
   */
  async create(by: KeyManager, order: KeyOrder, token: string | null = null): Promise<MadeKey> {
    if (by.tenant.state === 'deleted') throw new TenantIsDeleted(by.tenant.slug);
    if (token !== null && this.operator.matches(token)) throw new KeyInUse();
    const minted = token === null ? mintKey(order.environment) : bringToken(token);
    try {
      return await by.write((tx) => this.make(tx, by, order, minted));
    } catch (error) {
      throw refusalOf(error, `${String(order.workspaceId)} is none of ${by.tenant.slug}`);
    }
  }

  /** Newest first, ended ones too. */
  async list(
    by: KeyManager,
    limit: number,
    after: KeyPlace | null,
  ): Promise<{ keys: KeyRow[]; next: KeyPlace | null }> {
    // One more than asked for tells whether there is a next page.
    const found = await by.read((tx) => readKeys(tx, by.tenant.id, by.manages, limit + 1, after));
    const keys = found.slice(0, limit);
    const last = keys.at(-1);
    const more = found.length > limit && last !== undefined;
    return { keys, next: more ? { time: last.createdAt, id: last.id } : null };
  }

  /** Refused everywhere within a second; saying so again is no error. Throws `KeyNotFound`. */
  async revoke(by: KeyManager, id: string): Promise<void> {
    await by.write(async (tx) => {
      const key = await lockKey(tx, by.tenant.id, by.manages, id);
      if (key === undefined) throw new KeyNotFound();
      const now = new Date();
      if (key.revokedAt !== null && key.revokedAt <= now) return;
      await endKey(tx, by.tenant.id, id, now, null);
      await tx.record('key.revoke', id, {
        before: { revoked_at: key.revokedAt },
        after: { revoked_at: now },
      });
      await announce(tx, by);
    });
    this.principals.forget(by.tenant.id);
  }

  /**
   * A new key that may do the same; the old one opens what it opened for so many seconds more.
   * Throws `KeyNotFound` also for one that has ended, `KeyRotated`, `Forbidden` where it may do more than who asks.
   */
  async rotate(by: KeyManager, id: string, overlapSeconds: number): Promise<RotatedKey> {
    if (by.tenant.state === 'deleted') throw new TenantIsDeleted(by.tenant.slug);
    const rotated = await by.write(async (tx) => {
      const old = await lockKey(tx, by.tenant.id, by.manages, id);
      if (old === undefined || hasEnded(old)) throw new KeyNotFound();
      checkWithin(by.holds, old);
      if (old.rotatedTo !== null) throw new KeyRotated(old.rotatedTo);
      const made = await this.make(tx, by, old, mintKey(old.environment));
      const until = new Date(made.row.createdAt.getTime() + overlapSeconds * 1_000);
      await endKey(tx, by.tenant.id, id, until, made.row.id);
      await tx.record('key.rotate', id, {
        before: { revoked_at: old.revokedAt, rotated_to: null },
        after: { revoked_at: until, rotated_to: made.row.id },
      });
      await announce(tx, by);
      return { ...made, replaced: { id, until } };
    });
    this.principals.forget(by.tenant.id);
    return rotated;
  }

  private async make(tx: KeyChange, by: KeyManager, order: KeyOrder, minted: MintedKey): Promise<MadeKey> {
    const row = await insertKey(tx, by.tenant.id, randomUUID(), order, minted);
    const { name, scopes, role, environment, workspaceId, rateLimitPerMinute, expiresAt } = row;
    await tx.record('key.create', row.id, {
      after: {
        name,
        scopes,
        role,
        environment,
        workspace_id: workspaceId,
        rate_limit_per_minute: rateLimitPerMinute,
        expires_at: expiresAt,
      },
    });
    return { row, key: minted.key };
  }
}

function hasEnded({ revokedAt, expiresAt }: KeyRow): boolean {
  const now = Date.now();
  return [revokedAt, expiresAt].some((end) => end !== null && end.getTime() <= now);
}

/** What PostgreSQL refused, as the drivers of both ways into it tell. */
function refusalOf(error: unknown, noWorkspace: string): unknown {
  const { code, driverError } = error as { code?: unknown; driverError?: { code?: unknown } };
  switch (driverError?.code ?? code) {
    case '23505':
      return new KeyInUse();
    case '23503':
      return new WorkspaceNotFound(noWorkspace);
    default:
      return error;
  }
}

/** Tells every replica, once this transaction commits. */
async function announce(tx: KeyChange, { tenant }: KeyManager): Promise<void> {
  await tx.rows('SELECT pg_notify($1, $2)', [PRINCIPALS_CHANNEL, tenant.id]);
}
