import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import type { Cause } from '../../ledger/cause.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import { ControlPlane } from '../../ledger/control-plane.js';
import { WHOLE_TENANT } from '../../ledger/ledger.js';
import { announceChange, PrincipalCache } from '../../tenancy/principal-cache.js';
import type { Role, Tenant } from '../../tenancy/principal.js';
import { LastAdmin, MemberExists, MemberNotFound } from './members.errors.js';

/** Somebody of a tenant, as the ledger has them. */
export interface Member extends QueryResultRow {
  id: string;
  email: string;
  name: string | null;
  role: Role;
  external_id: string | null;
  is_active: boolean;
  created_at: Date;
  updated_at: Date;
}

/** What may be said of a member. `email` is compared in lower case. */
export type MemberFields = Pick<Member, 'email' | 'name' | 'role' | 'external_id' | 'is_active'>;

const COLUMNS = 'id, email, name, role, external_id, is_active, created_at, updated_at';
const NEWEST_FIRST = `ORDER BY date_trunc('milliseconds', created_at) DESC, id DESC`;

/** The members of a tenant, and their roles. */
@Injectable()
export class Members {
  constructor(
    private readonly control: ControlPlane,
    private readonly principals: PrincipalCache,
  ) {}

  /** Newest first, `limit` of them and one more where there are more. */
  list(tenant: Tenant, limit: number, after: { time: Date; id: string } | null): Promise<Member[]> {
    return this.control.readRows<Member>(
      tenant,
      WHOLE_TENANT,
      `SELECT ${COLUMNS} FROM members WHERE tenant_id = $1
         AND ($2::timestamptz IS NULL OR (date_trunc('milliseconds', created_at), id) < ($2, $3::uuid))
       ${NEWEST_FIRST} LIMIT $4`,
      [tenant.id, after?.time ?? null, after?.id ?? null, limit + 1],
    );
  }

  /** Throws `MemberNotFound`. */
  async get(tenant: Tenant, id: string): Promise<Member> {
    const [member] = await this.control.readRows<Member>(
      tenant,
      WHOLE_TENANT,
      `SELECT ${COLUMNS} FROM members WHERE tenant_id = $1 AND id = $2`,
      [tenant.id, id],
    );
    if (member === undefined) throw new MemberNotFound();
    return member;
  }

  /** Throws `MemberExists`. */
  async add(tenant: Tenant, fields: Omit<MemberFields, 'is_active'>, cause: Cause): Promise<Member> {
    const { email, name, role, external_id } = fields;
    const { result } = await this.writing(tenant, cause, async (tx) => {
      const [member] = await tx.rows<Member>(
        `INSERT INTO members (tenant_id, id, email, name, role, external_id) VALUES ($1, $2, $3, $4, $5, $6)
         RETURNING ${COLUMNS}`,
        [tenant.id, randomUUID(), email.toLowerCase(), name, role, external_id],
      );
      if (member === undefined) throw new Error('A member was inserted and not returned');
      tx.record('member.create', null, member.id, { after: fields });
      return member;
    });
    return result;
  }

  /** Only what is named changes. Refused within a second where it changes what they may. Throws `MemberNotFound`, `MemberExists`, `LastAdmin`. */
  async change(tenant: Tenant, id: string, change: Partial<MemberFields>, cause: Cause): Promise<Member> {
    const { result } = await this.writing(tenant, cause, async (tx) => {
      const before = await find(tx, id);
      const wanted: MemberFields = {
        email: (change.email ?? before.email).toLowerCase(),
        name: change.name === undefined ? before.name : change.name,
        role: change.role ?? before.role,
        external_id: change.external_id === undefined ? before.external_id : change.external_id,
        is_active: change.is_active ?? before.is_active,
      };
      const changed = difference(before, wanted);
      if (changed === null) return before;
      if (isAdmin(before) && !isAdmin(wanted)) await keepManageable(tx, id);
      const { email, name, role, external_id, is_active } = wanted;
      const [member] = await tx.rows<Member>(
        `UPDATE members SET email = $3, name = $4, role = $5, external_id = $6, is_active = $7, updated_at = now()
         WHERE tenant_id = $1 AND id = $2 RETURNING ${COLUMNS}`,
        [tenant.id, id, email, name, role, external_id, is_active],
      );
      if (member === undefined) throw new MemberNotFound();
      tx.record('member.update', null, id, changed);
      await announceChange(tx, tenant.id);
      return member;
    });
    this.principals.forget(tenant.id);
    return result;
  }

  /** Their tokens are refused everywhere within a second. Throws `MemberNotFound`, `LastAdmin`. */
  async remove(tenant: Tenant, id: string, cause: Cause): Promise<void> {
    await this.writing(tenant, cause, async (tx) => {
      const { email, name, role, external_id, is_active } = await find(tx, id);
      if (isAdmin({ role, is_active })) await keepManageable(tx, id);
      await tx.rows(`DELETE FROM members WHERE tenant_id = $1 AND id = $2`, [tenant.id, id]);
      tx.record('member.delete', null, id, { before: { email, name, role, external_id, is_active } });
      await announceChange(tx, tenant.id);
    });
    this.principals.forget(tenant.id);
  }

  private async writing<T>(tenant: Tenant, cause: Cause, work: (tx: LedgerWrite) => Promise<T>) {
    try {
      return await this.control.write(tenant, WHOLE_TENANT, cause, work);
    } catch (error) {
      const { code, constraint } = error as { code?: string; constraint?: string };
      if (code !== '23505') throw error;
      throw new MemberExists(
        constraint === 'members_tenant_id_external_id_key' ? 'external_id' : 'e-mail address',
      );
    }
  }
}

async function find(tx: LedgerWrite, id: string): Promise<Member> {
  const [member] = await tx.rows<Member>(`SELECT ${COLUMNS} FROM members WHERE tenant_id = $1 AND id = $2`, [
    tx.tenant.id,
    id,
  ]);
  if (member === undefined) throw new MemberNotFound();
  return member;
}

function isAdmin({ role, is_active }: Pick<Member, 'role' | 'is_active'>): boolean {
  return role === 'tenant_admin' && is_active;
}

/**
 * Without this member somebody must still be able to manage the tenant: another tenant_admin, or a key. Throws `LastAdmin`.
 * Under the tenant's lock, so that two admins cannot remove each other at once.
 */
async function keepManageable(tx: LedgerWrite, leaving: string): Promise<void> {
  const [row] = await tx.rows<{ manageable: boolean }>(
    `SELECT EXISTS (SELECT FROM members WHERE tenant_id = $1 AND id <> $2 AND role = 'tenant_admin' AND is_active)
       OR EXISTS (SELECT FROM api_keys WHERE tenant_id = $1 AND 'manage' = ANY(scopes) AND revoked_at IS NULL
                  AND (expires_at IS NULL OR expires_at > now())) AS manageable`,
    [tx.tenant.id, leaving],
  );
  if (row?.manageable !== true) throw new LastAdmin();
}

/** What the audit keeps of a change: each field that differs, before and after. Null: nothing does. */
function difference(
  before: MemberFields,
  after: MemberFields,
): { before: Partial<MemberFields>; after: Partial<MemberFields> } | null {
  const names = (Object.keys(after) as (keyof MemberFields)[]).filter((name) => before[name] !== after[name]);
  if (names.length === 0) return null;
  const only = (fields: MemberFields) => Object.fromEntries(names.map((name) => [name, fields[name]]));
  return { before: only(before), after: only(after) };
}
