import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Ledger, WHOLE_TENANT } from '../../../src/ledger/ledger.js';
import { Spaces } from '../../../src/spaces/spaces.js';
import type { Space } from '../../../src/spaces/space.js';
import { tenantOf } from '../../isolation/two-palaces.js';
import type { Loci, TestTenant } from '../../support/loci.js';

/** The one file that holds a tenant's projections. */
export function fileOf(loci: Loci, tenant: TestTenant): string {
  return join(loci.server.stores.folder.spaces, `memories_${tenant.slug}.db`);
}

export async function spaceOf(loci: Loci, tenant: TestTenant): Promise<Space> {
  return loci.server.app.get(Spaces).open(await tenantOf(loci, tenant));
}

/** Rows of this tenant's ledger, whatever the workspace. */
export async function ledgerRows(
  loci: Loci,
  tenant: TestTenant,
  sql: string,
  values: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const ledger = loci.server.app.get(Ledger);
  return ledger.read(await tenantOf(loci, tenant), WHOLE_TENANT, (tx) => tx.rows(sql, values));
}

export async function revisionOf(loci: Loci, tenant: TestTenant): Promise<number> {
  const [row] = await ledgerRows(loci, tenant, 'SELECT revision FROM tenants');
  return Number(row?.['revision']);
}

/** Both projections hold exactly what the ledger does, each item at its revision, and say so in their watermarks. */
export async function expectProjected(loci: Loci, tenant: TestTenant): Promise<void> {
  const space = await spaceOf(loci, tenant);
  const rows = await ledgerRows(
    loci,
    tenant,
    'SELECT kind, id, revision::int AS revision FROM changes WHERE NOT gone ORDER BY kind, id',
  );
  const held = (items: { id: string; revision: number }[]) =>
    items.map(({ id, revision }) => `${id}@${revision}`).sort();
  const wanted = (kind: string) =>
    rows
      .filter((row) => kind === 'any' || row['kind'] === kind)
      .map((row) => `${String(row['id'])}@${String(row['revision'])}`)
      .sort();
  expect(held(await space.vectors.list())).toEqual(wanted('memory'));
  expect(held(await space.graph.list())).toEqual(wanted('any'));
  const revision = await revisionOf(loci, tenant);
  expect((await space.vectors.watermark()).revision).toBe(revision);
  expect((await space.graph.watermark()).revision).toBe(revision);
}

/** Of unit length and of the embedded model's: a memory that brings it needs no model. */
export function someVector(dimensions = 384): number[] {
  const numbers = Array.from(randomBytes(dimensions), (byte) => byte - 127.5);
  const length = Math.hypot(...numbers);
  return numbers.map((number) => number / length);
}

/** Stores a memory; its id. */
export async function remember(
  tenant: TestTenant,
  content: string,
  rest: Record<string, unknown> = {},
): Promise<string> {
  const { status, body } = await tenant.post('/memory', { content, ...rest });
  if (status !== 201) throw new Error(`Not stored: ${status} ${JSON.stringify(body)}`);
  return String(body['memory_id']);
}

export interface RecallReply {
  results: { id: string; match_type: string; memory: { content: string } }[];
  degraded?: string[];
}

export async function recall(tenant: TestTenant, query: string): Promise<RecallReply> {
  const { status, body } = await tenant.get<RecallReply & Record<string, unknown>>(
    `/recall?query=${encodeURIComponent(query)}&limit=100`,
  );
  if (status !== 200) throw new Error(`Not recalled: ${status} ${JSON.stringify(body)}`);
  return body;
}

export async function recalledIds(tenant: TestTenant, query: string): Promise<string[]> {
  return (await recall(tenant, query)).results.map(({ id }) => id);
}

/** Asks until it is so; ten seconds are enough for everything here. */
export async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let asked = 0; asked < 1_000; asked++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`This did not come true: ${what}`);
}
