import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openContent, sealContent, sealVector, openVector } from '../../src/ledger/sealed-memory.js';
import { MasterKey } from '../../src/tenancy/tenant-key.js';
import type { TenantId, WorkspaceId } from '../../src/tenancy/tenant.js';
import { asSuperuser, furnishedTenant, tenantOf, type FurnishedTenant } from '../isolation/two-palaces.js';
import { Loci } from '../support/loci.js';

describe('what a tenant stored', () => {
  /** Words that are nowhere else; no stem of theirs is the word itself. */
  const words = 'Zanzibarian xylophonists juggling';
  let loci: Loci;
  let acme: FurnishedTenant;
  beforeAll(async () => {
    loci = await Loci.start();
    acme = await furnishedTenant(loci, words);
    await acme.caller.post(
      '/memory',
      { content: `${words} with a vector`, embedding: markedVector() },
      { 'Idempotency-Key': 'marked' },
    );
  });
  afterAll(() => loci.stop());

  it('can be read again by its tenant, so that there was something to seal', async () => {
    const { body } = await acme.caller.get<{ results: { memory: { content: string; metadata: unknown } }[] }>(
      '/recall?query=xylophonists',
    );
    expect(body.results.map(({ memory }) => memory.content)).toContain(`${words} edited`);
    expect(body.results.map(({ memory }) => memory.metadata)).toContainEqual({ note: words });
  });

  it('lies nowhere in PostgreSQL in the clear: content, metadata, source, history, vectors, audit, answers, credentials', async () => {
    const forms = [
      words,
      Buffer.from(words).toString('hex'),
      Buffer.from(words).toString('base64').slice(0, 40),
    ];
    const vector = Buffer.from(Float32Array.from(unit(markedVector())).buffer)
      .toString('hex')
      .slice(0, 64);
    await asSuperuser(loci, async (client) => {
      const { rows: tables } = await client.query<{ name: string }>(
        `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`,
      );
      let seen = 0;
      for (const { name } of tables) {
        const { rows } = await client.query<{ row: string }>(
          `SELECT row_to_json(t)::text AS row FROM ${name} t`,
        );
        seen += rows.length;
        for (const form of [...forms, vector, 'xylophonist']) {
          const found = rows.filter(({ row }) => row.toLowerCase().includes(form.toLowerCase()));
          expect({ name, form, found: found.length }).toEqual({ name, form, found: 0 });
        }
      }
      expect(seen).toBeGreaterThan(50);
    });
  });

  it('lies in the tenant’s file, and in the log beside it, in no words at all', () => {
    const folder = loci.server.stores.folder.spaces;
    const files = readdirSync(folder).filter((file) => file.startsWith(`memories_${acme.caller.slug}.db`));
    expect(files).toContain(`memories_${acme.caller.slug}.db-wal`);
    for (const file of files) {
      const bytes = readFileSync(join(folder, file)).toString('latin1').toLowerCase();
      for (const form of [words, 'xylophonist', 'zanzibar', 'note']) {
        expect({ file, form, found: bytes.includes(form.toLowerCase()) }).toEqual({
          file,
          form,
          found: false,
        });
      }
    }
    expect(files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)).toBeGreaterThan(10_000);
  });

  it('does not open in another row: a content that was moved there is refused, not shown', async () => {
    const [first, second] = acme.main.memories;
    await asSuperuser(loci, (client) =>
      client.query(
        `UPDATE memories SET content = (SELECT content FROM memories WHERE id = $1) WHERE id = $2`,
        [first, second],
      ),
    );
    const { status, body } = await acme.caller.get(`/memory/${second}`);
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('Zanzibarian');
  });
});

describe('a purged tenant', () => {
  let loci: Loci;
  beforeAll(async () => {
    loci = await Loci.start();
  });
  afterAll(() => loci.stop());

  it('has lost its key: what a backup kept of its rows opens no more, also for a tenant that is made again under its id', async () => {
    const acme = await loci.tenant({ api_credentials: { token: 'hush' } });
    const { body } = await acme.post<{ memory_id: string }>('/memory', {
      content: 'The vault opens at nine',
    });
    const before = await tenantOf(loci, acme);
    const kept = await asSuperuser(loci, async (client) => {
      const rows = async (sql: string) => (await client.query<{ sealed: Buffer }>(sql)).rows[0]?.sealed;
      return {
        content: (await rows('SELECT content AS sealed FROM memories')) ?? Buffer.alloc(0),
        credentials:
          (await rows('SELECT api_credentials AS sealed FROM tenants WHERE api_credentials IS NOT NULL')) ??
          Buffer.alloc(0),
      };
    });
    const workspace = acme.workspaceId as WorkspaceId;
    expect(openContent(before.key, workspace, body.memory_id, kept.content)).toBe('The vault opens at nine');

    await loci.operator.delete(`/admin/tenants/${acme.slug}?purge=true`);
    const wrapped = await asSuperuser(loci, async (client) => {
      const { rows } = await client.query<{ n: number }>(
        'SELECT count(*)::int AS n FROM tenants WHERE id = $1',
        [acme.id],
      );
      return rows[0]?.n;
    });
    expect(wrapped).toBe(0);
    const again = await tenantOf(loci, await loci.tenant({ id: acme.id }));
    expect(() => openContent(again.key, workspace, body.memory_id, kept.content)).toThrow();
    const place = { table: 'tenants', row: acme.id, column: 'api_credentials' };
    expect(before.key.open(kept.credentials, place).toString()).toContain('hush');
    expect(() => again.key.open(kept.credentials, place)).toThrow();
    expect(() => loci.server.app.get(MasterKey).open(kept.credentials, place)).toThrow();
  });
});

describe('a sealed value', () => {
  const master = new MasterKey(Buffer.alloc(32, 7));
  const [tenantId, otherId] = [randomUUID() as TenantId, randomUUID() as TenantId];
  const key = master.unwrap(tenantId, master.mint(tenantId));
  const workspace = randomUUID() as WorkspaceId;
  const id = randomUUID();

  it('opens in its own place', () => {
    expect(openContent(key, workspace, id, sealContent(key, workspace, id, 'tea'))).toBe('tea');
    const vector = Float32Array.from([0.6, -0.8]);
    expect(openVector(key, workspace, id, 'alone', sealVector(key, workspace, id, 'alone', vector))).toEqual(
      vector,
    );
  });

  it.each([
    ['another row', () => openContent(key, workspace, randomUUID(), sealContent(key, workspace, id, 'tea'))],
    [
      'another workspace',
      () => openContent(key, randomUUID() as WorkspaceId, id, sealContent(key, workspace, id, 'tea')),
    ],
    [
      'another column',
      () =>
        key.open(sealContent(key, workspace, id, 'tea'), {
          table: 'memories',
          row: `${workspace}/${id}`,
          column: 'metadata',
        }),
    ],
    [
      'another table',
      () =>
        key.open(sealContent(key, workspace, id, 'tea'), {
          table: 'memory_history',
          row: `${workspace}/${id}`,
          column: 'content',
        }),
    ],
    [
      'another part',
      () =>
        openVector(
          key,
          workspace,
          id,
          'joined',
          sealVector(key, workspace, id, 'alone', Float32Array.from([1])),
        ),
    ],
    [
      'another tenant',
      () => {
        const other = master.unwrap(otherId, master.mint(otherId));
        return openContent(other, workspace, id, sealContent(key, workspace, id, 'tea'));
      },
    ],
  ])('does not open in %s', (_, open) => {
    expect(open).toThrow();
  });

  it('does not open where a single bit of it was changed', () => {
    const sealed = sealContent(key, workspace, id, 'tea');
    for (const at of [0, 12, sealed.length - 1]) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => openContent(key, workspace, id, changed)).toThrow();
    }
  });

  it('does not open under the same tenant’s id with another key, nor does a wrapped key for another tenant', () => {
    const again = master.unwrap(tenantId, master.mint(tenantId));
    expect(() => openContent(again, workspace, id, sealContent(key, workspace, id, 'tea'))).toThrow();
    expect(() => master.unwrap(otherId, master.mint(tenantId))).toThrow();
    expect(() => new MasterKey(Buffer.alloc(32, 8)).unwrap(tenantId, master.mint(tenantId))).toThrow();
  });

  it('is another each time, while hashes of equal text are equal within a tenant and unrelated across two', () => {
    expect(sealContent(key, workspace, id, 'tea')).not.toEqual(sealContent(key, workspace, id, 'tea'));
    expect(key.hash('text', 'tea')).toEqual(key.hash('text', 'tea'));
    expect(key.hash('text', 'tea')).not.toEqual(
      master.unwrap(otherId, master.mint(otherId)).hash('text', 'tea'),
    );
    expect(key.hash('text', 'ab', 'c')).not.toEqual(key.hash('text', 'a', 'bc'));
  });
});

function markedVector(): number[] {
  return Array.from({ length: 384 }, (_, i) => (i % 7) - 3);
}

function unit(vector: number[]): number[] {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
