import { randomBytes, randomUUID } from 'node:crypto';
import { OpenStreams } from '../../src/modules/events/open-streams.js';
import { asSuperuser } from '../isolation/two-palaces.js';
import { eventually, remember, revisionOf, someVector } from '../spaces/rules/projected.js';
import { Loci, type TestTenant } from '../support/loci.js';
import { freshDatabase, type FreshDatabase } from '../support/postgres.js';
import { EventReader } from './event-reader.js';

describe('the stream of what changes', () => {
  let database: FreshDatabase;
  let loci: Loci;
  let replica: Loci;
  let tenant: TestTenant;
  const readers: EventReader[] = [];

  beforeAll(async () => {
    database = await freshDatabase();
    const env = { LOCI_MASTER_KEY: randomBytes(32).toString('base64') };
    loci = await Loci.start(env, database);
    replica = await Loci.start(env, database);
  }, 60_000);
  afterAll(async () => {
    await replica.stop();
    await loci.stop();
    await database.drop();
  });
  beforeEach(async () => {
    tenant = await loci.tenant();
  });
  afterEach(async () => {
    for (const reader of readers.splice(0)) reader.close();
    await eventually('every place is free again', () =>
      Promise.resolve([loci, replica].every((server) => server.server.app.get(OpenStreams).size === 0)),
    );
  });

  async function listen(
    options: Parameters<typeof EventReader.open>[2] = {},
    { at = loci, token = tenant.token } = {},
  ): Promise<EventReader> {
    const reader = await EventReader.open(at.url, token, options);
    readers.push(reader);
    return reader;
  }

  const store = (content: string, rest: Record<string, unknown> = {}) =>
    remember(tenant, content, { embedding: someVector(), ...rest });

  it('tells what is made, changed and deleted, each under the tenant’s revision', async () => {
    const reader = await listen();
    expect(reader.contentType).toBe('text/event-stream; charset=utf-8');
    const ready = await reader.next('ready');
    expect(ready).toMatchObject({
      id: '0',
      data: { tenant_id: tenant.slug, workspace_id: tenant.workspaceId },
    });

    const id = await store('The lamp is in the shed.', { tags: ['lamp'] });
    const created = await reader.next('memory.created');
    const shown = (await tenant.get<{ memory: Record<string, unknown> }>(`/memory/${id}`)).body.memory;
    expect(created.data).toMatchObject({ event: 'memory.created', memory_id: id, tenant_id: tenant.slug });
    expect(shown).toMatchObject(created.data['memory'] as object);
    expect(Number(created.id)).toBe(await revisionOf(loci, tenant));
    expect(Date.parse(String(created.data['at']))).toBeGreaterThan(0);

    await tenant.patch(`/memory/${id}`, { content: 'The lamp is in the house.', embedding: someVector() });
    const updated = await reader.next('memory.updated');
    expect(updated.data).toMatchObject({ memory_id: id, memory: { content: 'The lamp is in the house.' } });

    const other = await store('The house is warm.');
    const pair = { memory1_id: id, memory2_id: other, type: 'LEADS_TO', reason: 'light' };
    await tenant.post('/associate', { ...pair, strength: 0.5 });
    const related = await reader.next('relation.created');
    expect(related.data['relation']).toMatchObject({
      memory1_id: id,
      memory2_id: other,
      type: 'LEADS_TO',
      strength: 0.5,
      attributes: { reason: 'light' },
    });
    await tenant.post('/associate', { ...pair, strength: 0.75 });
    expect((await reader.next('relation.updated')).data['relation']).toMatchObject({ strength: 0.75 });

    await tenant.delete(`/memory/${id}`);
    expect((await reader.next('relation.deleted')).data['relation_id']).toBe(related.data['relation_id']);
    const deleted = await reader.next('memory.deleted');
    expect(deleted.data).toMatchObject({ memory_id: id });
    expect(deleted.data).not.toHaveProperty('memory');
    expect(Number(deleted.id)).toBe(await revisionOf(loci, tenant));
  });

  it('replays what came after an id, each item once, as it is now', async () => {
    const kept = await store('Kept as it was');
    const edited = await store('Edited twice');
    const seen = await revisionOf(loci, tenant);
    for (const content of ['once', 'twice'])
      await tenant.patch(`/memory/${edited}`, { content, embedding: someVector() });
    const made = await store('Made later');
    const gone = await store('Made and gone');
    await tenant.delete(`/memory/${gone}`);
    for (const options of [
      { headers: { 'Last-Event-ID': String(seen) }, query: '?follow=false&last_event_id=0' },
      { query: `?follow=false&last_event_id=${seen}` },
    ]) {
      const reader = await listen(options);
      await reader.end();
      const told = reader.messages.map(({ event, data }) => [event, data['memory_id']]);
      expect(told).toEqual([
        ['ready', undefined],
        ['memory.updated', edited],
        ['memory.created', made],
        ['memory.deleted', gone],
      ]);
      expect(reader.messages[1]?.data['memory']).toMatchObject({ content: 'twice' });
      expect(Number(reader.lastId)).toBe(await revisionOf(loci, tenant));
    }
    const all = await listen({ query: '?follow=false&last_event_id=0' });
    await all.end();
    expect(all.messages.map(({ data }) => data['memory_id'])).toEqual([undefined, kept, edited, made, gone]);
    expect(all.messages.slice(1, 4).map(({ event }) => event)).toEqual(Array(3).fill('memory.created'));
  });

  it('tells hundreds of changes whole and in order, and those that come meanwhile after them', async () => {
    const memories = Array.from({ length: 350 }, (_, i) => ({
      content: `Number ${i}`,
      embedding: someVector(),
    }));
    const { body } = await tenant.post<{ memory_ids: string[] }>('/memory/batch', { memories });
    const reader = await listen({ query: '?last_event_id=0' });
    const later = await store('The last of them');
    const told: unknown[] = [];
    while (told.length < 351) told.push((await reader.next('memory.created')).data['memory_id']);
    expect(told).toEqual([...body.memory_ids, later]);
  });

  it('says nothing of what shows nobody anything new', async () => {
    const first = await store('First of its session', { session_id: 's', timestamp: '2026-01-01T00:00:00Z' });
    await store('Third', { session_id: 's', timestamp: '2026-01-03T00:00:00Z' });
    const reader = await listen();
    await reader.next('ready');
    // The third is joined to it from now on, and so has another vector.
    const second = await store('Second', { session_id: 's', timestamp: '2026-01-02T00:00:00Z' });
    await tenant.delete(`/memory/${first}`);
    await reader.next('memory.deleted');
    const replay = await listen({ query: '?follow=false&last_event_id=2' });
    await replay.end();
    // The second has changed last: what it is joined to is gone. It is told once, and as new.
    expect(replay.messages.map(({ event, data }) => [event, data['memory_id']])).toEqual([
      ['ready', undefined],
      ['memory.deleted', first],
      ['memory.created', second],
    ]);
  });

  it('tells what another replica writes', async () => {
    const reader = await listen({}, { at: replica });
    await reader.next('ready');
    const id = await store('Written elsewhere');
    expect((await reader.next('memory.created')).data).toMatchObject({
      memory_id: id,
      memory: { content: 'Written elsewhere' },
    });
  });

  it('tells each its own: neither another tenant’s nor another workspace’s', async () => {
    const other = await loci.tenant();
    const { body: sibling } = await tenant.post<{ id: string }>('/v1/workspaces', {
      name: 'Sib',
      slug: 'sib',
    });
    const key = (await tenant.post<{ key: string }>('/v1/workspaces/default/api-keys', {})).body.key;
    const [own, ofSibling, whole] = [
      await listen({ query: '?last_event_id=0' }, { token: key }),
      await listen({ query: '?last_event_id=0&workspace_id=sib' }),
      await listen({ query: '?last_event_id=0&workspace_id=*' }),
    ];
    await remember(other, 'Another tenant’s', { embedding: someVector() });
    const there = await store('In the sibling', { workspace_id: 'sib' });
    const here = await store('In the default workspace');
    expect((await own.next('memory.created')).data['memory_id']).toBe(here);
    expect((await ofSibling.next('memory.created')).data).toMatchObject({
      memory_id: there,
      workspace_id: sibling.id,
    });
    expect((await whole.next('memory.created')).data['memory_id']).toBe(there);
    expect((await whole.next('memory.created')).data['memory_id']).toBe(here);
    expect(own.messages.concat(ofSibling.messages, whole.messages)).toEqual([]);

    for (const named of ['sib', sibling.id, '*', randomUUID()]) {
      const refused = await loci.as(key).get(`/stream?workspace_id=${named}`);
      expect([named, refused.status, refused.body['code']]).toEqual([named, 404, 'workspace.not_found']);
    }
    const member = { email: 'viewer@own.example', role: 'tenant_viewer' };
    const { body: viewer } = await tenant.post<{ id: string }>('/v1/tenants/current/members', member);
    const { body } = await tenant.post<{ token: string }>('/v1/tenants/current/tokens', {
      member_id: viewer.id,
    });
    expect(await loci.as(body.token).get('/stream?workspace_id=*')).toMatchObject({ status: 403 });
    const writer = await loci.operator.post<{ key: string }>(`/admin/tenants/${tenant.slug}/keys`, {
      scopes: ['memory:write'],
    });
    expect(await loci.as(writer.body.key).get('/stream')).toMatchObject({ status: 403 });
  });

  it('says so where an id is of no revision of this ledger', async () => {
    await store('Something');
    const revision = await revisionOf(loci, tenant);
    for (const id of [String(revision + 1), '999999999999999', 'nonsense', '-1', '1e3']) {
      const reader = await listen({ query: '?follow=false', headers: { 'Last-Event-ID': id } });
      await reader.end();
      expect(reader.messages).toMatchObject([
        { event: 'reset', id: String(revision), data: { reason: 'unknown_id', revision, last_event_id: id } },
        { event: 'ready', data: { revision } },
      ]);
    }
  });

  it('says so where the ledger is restored while it is read', async () => {
    await store('One');
    const reader = await listen();
    const before = Number((await reader.next('ready')).id);
    await asSuperuser(loci, (client) =>
      client.query('UPDATE tenants SET revision = 0 WHERE id = $1', [tenant.id]),
    );
    expect(await reader.next('reset')).toMatchObject({
      id: '0',
      data: { reason: 'ledger.restored', revision: 0, last_event_id: String(before) },
    });
  });

  it('ends for a revoked key and for a suspended tenant, on every replica, announced or not', async () => {
    const { body: made } = await loci.operator.post<{ id: string; key: string }>(
      `/admin/tenants/${tenant.slug}/keys`,
    );
    const revoked = [
      await listen({}, { token: made.key }),
      await listen({}, { at: replica, token: made.key }),
    ];
    const suspended = await listen({}, { at: replica });
    await asSuperuser(loci, (client) =>
      client.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [made.id]),
    );
    for (const reader of revoked) {
      expect((await reader.next('end')).data).toEqual({ code: 'auth.invalid' });
      await reader.end();
    }
    expect(suspended.ended).toBe(false);
    await loci.operator.post(`/admin/tenants/${tenant.slug}/suspend`, { reason: 'unpaid' });
    expect((await suspended.next('end')).data).toEqual({ code: 'tenant.suspended' });
    await suspended.end();
  });

  it('is held open by no more readers than a tenant may have, and gives their places back', async () => {
    const open = await Promise.all(Array.from({ length: 50 }, () => listen()));
    expect(open.map(({ status }) => status)).toEqual(Array(50).fill(200));
    const refused = await tenant.get('/stream');
    expect(refused).toMatchObject({ status: 429, body: { code: 'stream.too_many', limit: 50 } });
    expect((await (await loci.tenant()).get('/stream?follow=false')).status).toBe(200);
    open[0]?.close();
    await eventually(
      'a place is free',
      async () => (await tenant.get('/stream?follow=false')).status === 200,
    );
  });

  it('answers HEAD without staying', async () => {
    const response = await fetch(`${loci.url}/v1/stream`, {
      method: 'HEAD',
      headers: { Authorization: `Bearer ${tenant.token}` },
    });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
    ]);
  });

  it('ends when the server stops, which waits for nobody', async () => {
    const reader = await listen({}, { at: replica });
    await reader.next('ready');
    await replica.restart(async () => {
      expect((await reader.next('end')).data).toEqual({ code: 'server.stopping' });
      await reader.end();
    });
  });
});
