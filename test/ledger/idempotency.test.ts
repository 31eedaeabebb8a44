import { Spaces } from '../../src/spaces/spaces.js';
import { asSuperuser } from '../isolation/two-palaces.js';
import { ledgerRows, recalledIds } from '../spaces/rules/projected.js';
import { Loci, type TestTenant } from '../support/loci.js';

describe('an Idempotency-Key', () => {
  let loci: Loci;
  let acme: TestTenant;
  beforeAll(async () => {
    loci = await Loci.start();
  });
  beforeEach(async () => {
    acme = await loci.tenant();
  });
  afterAll(() => loci.stop());

  /** Answers with the text of the reply, as it came. */
  async function send(
    path: string,
    body: unknown,
    key: string,
    { token = acme.token, headers = {} }: { token?: string; headers?: Record<string, string> } = {},
  ): Promise<{ status: number; replayed: string | null; text: string; retryAfter: string | null }> {
    const response = await fetch(loci.url + path, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/json',
        'Idempotency-Key': key,
        ...headers,
      },
      body: JSON.stringify(body),
    });
    return {
      status: response.status,
      replayed: response.headers.get('Idempotency-Replayed'),
      retryAfter: response.headers.get('Retry-After'),
      text: await response.text(),
    };
  }
  const memories = async () => ledgerRows(loci, acme, 'SELECT id FROM memories');
  const tea = { content: 'Alice prefers tea.' };

  it('gives the first answer again, to the byte, and stores once', async () => {
    const first = await send('/memory', tea, 'k');
    expect(first).toMatchObject({ status: 201, replayed: null });
    expect(first.text).toContain('"indexed":true');
    for (let again = 0; again < 3; again++) {
      expect(await send('/memory', tea, 'k')).toEqual({ ...first, replayed: 'true' });
    }
    expect(await memories()).toHaveLength(1);
  });

  it.each([
    ['a batch', '/memory/batch', { memories: [tea, { content: 'Bob prefers milk.' }] }, 201],
    ['a batch of which some were refused', '/memory/batch', { memories: [tea, { content: '' }] }, 207],
    ['a question', '/recall', { query: 'tea' }, 200],
  ])('gives the same status again for %s', async (_, path, body, status) => {
    const first = await send(path, body, 'k');
    expect(first.status).toBe(status);
    expect(await send(path, body, 'k')).toEqual({ ...first, replayed: 'true' });
  });

  it('replays across a restart of the server', async () => {
    const first = await send('/memory', tea, 'k');
    await loci.restart();
    expect(await send('/memory', tea, 'k')).toEqual({ ...first, replayed: 'true' });
  });

  it('takes the same members in another order for the same body', async () => {
    const first = await send('/memory', { content: 'tea', type: 'Preference' }, 'k');
    expect(await send('/memory', { type: 'Preference', content: 'tea' }, 'k')).toEqual({
      ...first,
      replayed: 'true',
    });
  });

  it('is refused with another body, and nothing is stored', async () => {
    await send('/memory', tea, 'k');
    const conflict = await send('/memory', { content: 'Alice prefers coffee.' }, 'k');
    expect(conflict.status).toBe(409);
    expect(JSON.parse(conflict.text)).toMatchObject({ code: 'idempotency.conflict' });
    expect(await memories()).toHaveLength(1);
  });

  it('is refused with another workspace named in the header', async () => {
    await send('/memory', tea, 'k');
    const conflict = await send('/memory', tea, 'k', { headers: { 'X-Workspace-Id': 'default' } });
    expect(conflict.status).toBe(409);
  });

  it('belongs to one tenant and one route', async () => {
    const other = await loci.tenant();
    await send('/memory', tea, 'k');
    expect(await send('/memory', tea, 'k', { token: other.token })).toMatchObject({
      status: 201,
      replayed: null,
    });
    expect(await send('/recall', tea, 'k')).toMatchObject({ replayed: null });
  });

  it('stores once where many come with it at once: each gets the one answer, or is told that it is in progress', async () => {
    const replies = await Promise.all(Array.from({ length: 20 }, () => send('/memory', tea, 'k')));
    const stored = replies.filter(({ status, replayed }) => status === 201 && replayed === null);
    expect(stored).toHaveLength(1);
    for (const reply of replies.filter((one) => one !== stored[0])) {
      if (reply.status === 201) expect(reply).toEqual({ ...stored[0], replayed: 'true' });
      else {
        expect(reply).toMatchObject({ status: 409, retryAfter: expect.stringMatching(/^\d+$/) });
        expect(JSON.parse(reply.text)).toMatchObject({ code: 'idempotency.in_progress' });
      }
    }
    expect(await memories()).toHaveLength(1);
    expect(await send('/memory', tea, 'k')).toEqual({ ...stored[0], replayed: 'true' });
  });

  it('is in progress while the first still runs, and a conflict with another body even then', async () => {
    const spaces = loci.server.app.get(Spaces);
    let open = () => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const realOpen = spaces.open.bind(spaces);
    const slow = jest.spyOn(spaces, 'open').mockImplementationOnce((tenant) => {
      const space = realOpen(tenant);
      jest.spyOn(space, 'meet').mockImplementationOnce(() => gate);
      return space;
    });
    const first = send('/memory', tea, 'k');
    try {
      while (slow.mock.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      const second = await send('/memory', tea, 'k');
      expect([second.status, JSON.parse(second.text)]).toEqual([
        409,
        expect.objectContaining({ code: 'idempotency.in_progress' }),
      ]);
      const other = await send('/memory', { content: 'coffee' }, 'k');
      expect(JSON.parse(other.text)).toMatchObject({ code: 'idempotency.conflict' });
    } finally {
      open();
      slow.mockRestore();
    }
    expect((await first).status).toBe(201);
    expect(await memories()).toHaveLength(1);
  });

  it('is free again after a request that was refused', async () => {
    expect((await send('/memory', { content: '' }, 'k')).status).toBeGreaterThanOrEqual(400);
    expect(await send('/memory', tea, 'k')).toMatchObject({ status: 201, replayed: null });
  });

  it('replays what was committed where everything after the commit failed', async () => {
    const spaces = loci.server.app.get(Spaces);
    const realOpen = spaces.open.bind(spaces);
    const broken = jest.spyOn(spaces, 'open').mockImplementation((tenant) => {
      const space = realOpen(tenant);
      jest.spyOn(space, 'indexed').mockRejectedValueOnce(new Error('as if the process had ended here'));
      return space;
    });
    const first = await send('/memory', tea, 'k');
    broken.mockRestore();
    expect(first.status).toBe(500);
    const stored = await memories();
    expect(stored).toHaveLength(1);
    const second = await send('/memory', tea, 'k');
    expect(second).toMatchObject({ status: 201, replayed: 'true' });
    expect(JSON.parse(second.text)).toMatchObject({
      memory_id: stored[0]?.['id'],
      created: true,
      indexed: false,
    });
    expect(await memories()).toHaveLength(1);
    expect(await recalledIds(acme, 'tea')).toEqual([stored[0]?.['id']]);
  });

  it('is free again where the process that claimed it died before its commit, after two minutes', async () => {
    await send('/memory', tea, 'k');
    // As it would lie there: claimed, and never settled.
    const age = (interval: string) =>
      asSuperuser(loci, (client) =>
        client.query(
          `UPDATE idempotency_keys SET status = NULL, answer = NULL, created_at = now() - $2::interval WHERE tenant_id = $1`,
          [acme.id, interval],
        ),
      );
    await age('110 seconds');
    expect((await send('/memory', tea, 'k')).status).toBe(409);
    await age('130 seconds');
    expect(await send('/memory', tea, 'k')).toMatchObject({ status: 201, replayed: null });
  });

  it('is forgotten after a day', async () => {
    await send('/memory', tea, 'k');
    await asSuperuser(loci, (client) =>
      client.query(
        `UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE tenant_id = $1`,
        [acme.id],
      ),
    );
    expect(await send('/memory', { content: 'coffee' }, 'k')).toMatchObject({ status: 201, replayed: null });
  });

  it('never keeps or replays a key that was shown once', async () => {
    const order = { name: 'another', scopes: ['memory'] };
    const path = `/admin/tenants/${acme.slug}/keys`;
    const token = loci.operator.token;
    const first = await send(path, order, `${acme.slug}-key`, { token });
    expect(first.status).toBe(201);
    const { key, ...rest } = JSON.parse(first.text) as { key: string };
    expect(key).toMatch(/^loci_/);
    const second = await send(path, order, `${acme.slug}-key`, { token });
    expect([second.status, second.replayed, JSON.parse(second.text)]).toEqual([201, 'true', rest]);
    expect((await loci.operator.get<{ data: unknown[] }>(path)).body.data).toHaveLength(2);
  });

  it('keeps no key of a new tenant either', async () => {
    const order = { tenant_id: `${acme.slug}-b` };
    const token = loci.operator.token;
    const first = await send('/admin/tenants', order, `${acme.slug}-b`, { token });
    const shown = (JSON.parse(first.text) as { api_key: { key: string } }).api_key.key;
    expect(shown).toMatch(/^loci_live_/);
    const second = await send('/admin/tenants', order, `${acme.slug}-b`, { token });
    expect([second.status, second.replayed]).toEqual([201, 'true']);
    expect(second.text).not.toContain(shown);
    expect(JSON.parse(second.text)).toMatchObject({ tenant_id: order.tenant_id });
  });

  it.each(['', ' ', 'x'.repeat(256)])('is refused where it is none: %j', async (key) => {
    const { status } = await send('/memory', tea, key);
    expect(status).toBe(400);
    expect(await memories()).toHaveLength(0);
  });
});
