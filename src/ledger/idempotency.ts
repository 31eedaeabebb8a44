import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Database } from '../platform/database/database.js';
import { DomainError } from '../platform/errors/domain-error.js';
import type { Principal } from '../tenancy/principal.js';
import { MasterKey, type Place } from '../tenancy/tenant-key.js';
import { Homes, MAIN } from './homes.js';

/** What was answered, to be answered again. */
export interface KeptAnswer {
  status: number;
  body: unknown;
}

/** A request that carries an `Idempotency-Key`, as its claim is kept. */
export interface IdempotentRequest {
  principal: Principal;
  /** Method and path. */
  route: string;
  key: string;
  /** Everything else that makes it the same request: body, query, the workspace named. */
  content: string;
}

export class IdempotencyConflict extends DomainError<'idempotency.conflict'> {
  readonly code = 'idempotency.conflict';
  constructor() {
    super('This Idempotency-Key was used with another request.');
  }
}

export class IdempotencyInProgress extends DomainError<'idempotency.in_progress'> {
  readonly code = 'idempotency.in_progress';
  constructor() {
    super('The first request with this Idempotency-Key is still running.', { retryAfter: 1 });
  }
}

interface ClaimRow {
  claimed: boolean;
  body_hash: Buffer;
  status: number | null;
}

interface KeptRow {
  status: number | null;
  answer: Buffer | null;
}

/** Operators' requests belong to no tenant. */
const NO_TENANT = '00000000-0000-0000-0000-000000000000';

/** One claimed key: where it is kept, and what seals its answer. */
export class Claim {
  constructor(
    readonly tenantId: string,
    readonly route: string,
    readonly keyHash: Buffer,
    /** Where the write's own transaction settles it. */
    readonly home: string,
    private readonly sealer: Sealer,
  ) {}

  seal(body: unknown): Buffer {
    return this.sealer.seal(JSON.stringify(body ?? null), this.place);
  }

  open(answer: Buffer): unknown {
    return JSON.parse(this.sealer.open(answer, this.place).toString('utf8'));
  }

  get name(): string {
    return `${this.tenantId} ${this.row}`;
  }

  private get row(): string {
    return `${this.route}/${this.keyHash.toString('hex')}`;
  }

  private get place(): Place {
    return {
      table: 'idempotency_keys',
      row: this.row,
      column: 'answer',
    };
  }
}

interface Sealer {
  seal(plain: string, place: Place): Buffer;
  open(sealed: Buffer, place: Place): Buffer;
  hash(purpose: string, ...parts: string[]): Buffer;
}

/**
 * Idempotency keys: claimed before the work, settled in the work's own transaction (`Cause.claim`), kept for 24 hours.
 * A claim whose process died is free again after two minutes: its transaction, had it committed, would have settled it.
 *
 * The main database decides who was first. A tenant whose ledger is elsewhere has a second row of the claim beside its
 * ledger, for its transactions to settle: until the request has been answered, and no longer.
 */
@Injectable()
export class Idempotency {
  private readonly logger = new Logger(Idempotency.name);
  /** Claims of requests that are running here: what their transaction has kept may not be their last word. */
  private readonly running = new Set<string>();
  /** Claims that could not be released, as the database was away: who asks again would be told to wait for a dead one. */
  private readonly unreleased = new LRUCache<string, Claim>({ max: 10_000 });

  constructor(
    private readonly homes: Homes,
    private readonly master: MasterKey,
  ) {}

  /** The claim, or the answer that was given. Throws `IdempotencyConflict` and `IdempotencyInProgress`. */
  async claim(request: IdempotentRequest): Promise<{ claim: Claim; kept: KeptAnswer | null }> {
    const { principal, route } = request;
    const sealer: Sealer = principal.kind === 'operator' ? this.master : principal.tenant.key;
    const tenantId = principal.kind === 'operator' ? NO_TENANT : principal.tenant.id;
    // A key of one workspace must not be told what was answered to a sibling's.
    const reach = principal.kind === 'operator' ? '' : (principal.workspace ?? '');
    const home = principal.kind === 'operator' ? MAIN : principal.tenant.home;
    const claim = new Claim(tenantId, route, sealer.hash('idempotency', reach, request.key), home, sealer);
    const bodyHash = sealer.hash('idempotent request', request.content);
    const dead = this.unreleased.get(claim.name);
    if (dead !== undefined) await this.release(dead);
    const row = await claimIn(this.homes.main, claim, bodyHash);
    if (row === undefined) throw new IdempotencyInProgress();
    if (!row.claimed) return { claim, kept: await this.known(claim, bodyHash, row) };
    const left = claim.home === MAIN ? null : await this.claimAtHome(claim, bodyHash);
    if (left === null) this.running.add(claim.name);
    return { claim, kept: left };
  }

  /** What was answered to a request that was there before. */
  private async known(claim: Claim, bodyHash: Buffer, { body_hash, status }: ClaimRow): Promise<KeptAnswer> {
    if (!body_hash.equals(bodyHash)) throw new IdempotencyConflict();
    if (this.running.has(claim.name)) throw new IdempotencyInProgress();
    if (status !== null) return this.kept(claim, this.homes.main);
    if (claim.home === MAIN) throw new IdempotencyInProgress();
    // Its transaction may have settled it beside the ledger, where its process died before it told the main database.
    return this.kept(claim, await this.homes.of(claim.home));
  }

  /** The second row of a claim; or what its transaction has kept there, where nobody told the main database in time. */
  private async claimAtHome(claim: Claim, bodyHash: Buffer): Promise<KeptAnswer | null> {
    try {
      const home = await this.homes.of(claim.home);
      const row = await claimIn(home, claim, bodyHash);
      if (row === undefined) throw new IdempotencyInProgress();
      if (row.status === null || !row.body_hash.equals(bodyHash)) return null;
      const kept = await this.kept(claim, home);
      await this.settle(claim, kept);
      return kept;
    } catch (error) {
      await this.release(claim);
      throw error;
    }
  }

  /** Read once more: it may have been settled between the first look and the one at what is running. */
  private async kept(claim: Claim, database: Database): Promise<KeptAnswer> {
    const [row] = await database.asSystem<KeptRow[]>((manager) =>
      manager.query(
        `SELECT status, answer FROM idempotency_keys WHERE tenant_id = $1 AND route = $2 AND key_hash = $3`,
        [claim.tenantId, claim.route, claim.keyHash],
      ),
    );
    if (row === undefined || row.status === null || row.answer === null) throw new IdempotencyInProgress();
    return { status: row.status, body: claim.open(row.answer) };
  }

  /** The answer as it was finally given. */
  settle(claim: Claim, answer: KeptAnswer): Promise<void> {
    return this.end(claim, SETTLE, [answer.status, claim.seal(answer.body)], FORGET_CLAIM);
  }

  /** After a failure, so that the request can be sent again. What has committed stays settled. */
  async release(claim: Claim): Promise<void> {
    this.unreleased.set(claim.name, claim);
    await this.end(claim, RELEASE, [], RELEASE);
    this.unreleased.delete(claim.name);
  }

  /** `atHome`: what then becomes of the row beside a ledger that is elsewhere. */
  private async end(claim: Claim, statement: string, values: unknown[], atHome: string): Promise<void> {
    const name = [claim.tenantId, claim.route, claim.keyHash];
    try {
      await this.homes.main.asSystem((manager) => manager.query(statement, [...name, ...values]));
      if (claim.home !== MAIN) await this.tidyHome(claim, atHome, name);
    } finally {
      this.running.delete(claim.name);
    }
  }

  /** What is left there where this fails is of no more use to anybody, and forgotten after a day. */
  private async tidyHome(claim: Claim, statement: string, name: unknown[]): Promise<void> {
    try {
      const home = await this.homes.of(claim.home);
      await home.asSystem((manager) => manager.query(statement, name));
    } catch (error) {
      this.logger.debug(`A claim in ${claim.home} was not removed: ${String(error)}`);
    }
  }

  /** Forgets what is older than a day; called now and then. */
  async forgetOld(): Promise<void> {
    for (const name of [MAIN, ...this.homes.others]) {
      const database = await this.homes.of(name);
      await database.asSystem((manager) =>
        manager.query(`DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'`),
      );
    }
  }
}

/** Undefined: the row was there, and is gone again. */
async function claimIn(database: Database, claim: Claim, bodyHash: Buffer): Promise<ClaimRow | undefined> {
  const [row] = await database.asSystem<ClaimRow[]>(async (manager) => {
    await manager.query(FORGET, [claim.tenantId, claim.route, claim.keyHash]);
    return manager.query(CLAIM, [claim.tenantId, claim.route, claim.keyHash, bodyHash]);
  });
  return row;
}

const FORGET_CLAIM = `DELETE FROM idempotency_keys WHERE tenant_id = $1 AND route = $2 AND key_hash = $3`;

const RELEASE = `${FORGET_CLAIM} AND status IS NULL`;

const SETTLE = `
UPDATE idempotency_keys SET status = $4, answer = $5 WHERE tenant_id = $1 AND route = $2 AND key_hash = $3`;

const FORGET = `
DELETE FROM idempotency_keys WHERE tenant_id = $1 AND route = $2 AND key_hash = $3
  AND (created_at < now() - interval '24 hours' OR (status IS NULL AND created_at < now() - interval '2 minutes'))`;

/** Where another request claims the key at the same moment, this one waits for it and then finds its row. */
const CLAIM = `
WITH mine AS (
  INSERT INTO idempotency_keys (tenant_id, route, key_hash, body_hash) VALUES ($1, $2, $3, $4)
  ON CONFLICT (tenant_id, route, key_hash) DO NOTHING RETURNING body_hash
)
SELECT true AS claimed, body_hash, NULL::smallint AS status FROM mine
UNION ALL
SELECT false, body_hash, status FROM idempotency_keys
WHERE tenant_id = $1 AND route = $2 AND key_hash = $3 AND NOT EXISTS (SELECT FROM mine)`;
