import { Loci, type TestTenant } from '../support/loci.js';
import { ledgerRows } from '../spaces/rules/projected.js';

describe('the audit record of a write', () => {
  let loci: Loci;
  beforeAll(async () => {
    loci = await Loci.start();
  });
  afterAll(() => loci.stop());

  const records = (tenant: TestTenant, action: string) =>
    ledgerRows(loci, tenant, `SELECT target, targets, actor FROM audit_records WHERE action = $1`, [action]);

  it('is one for one request, and names every memory and relation that it made or deleted', async () => {
    const acme = await loci.tenant();
    const { body } = await acme.post<{ memory_ids: string[] }>('/memory/batch', {
      memories: [1, 2, 3].map((n) => ({ content: `Cup ${n}`, tags: ['cup'] })),
    });
    const ids = body.memory_ids;
    expect(ids).toHaveLength(3);
    await acme.post('/associate', {
      associations: [
        { memory1_id: ids[0], memory2_id: ids[1], type: 'LEADS_TO', strength: 1 },
        { memory1_id: ids[1], memory2_id: ids[2], type: 'LEADS_TO', strength: 1 },
      ],
    });
    const relations = (await ledgerRows(loci, acme, 'SELECT id FROM relations')).map((row) => row['id']);
    await acme.delete('/memory/by-tag?tags=cup');
    const actor = expect.stringMatching(/^key:/) as string;
    expect(await records(acme, 'memory.create')).toEqual([{ target: null, targets: ids, actor }]);
    expect(await records(acme, 'relation.create')).toEqual([
      { target: null, targets: expect.arrayContaining(relations) as unknown, actor },
    ]);
    const [deleted, ...more] = await records(acme, 'memory.delete');
    expect(more).toEqual([]);
    expect([...(deleted?.['targets'] as string[])].sort()).toEqual([...ids].sort());
  });

  it('names a single one as its target, and is not written where a request changed nothing', async () => {
    const acme = await loci.tenant();
    const cup = { content: 'The cup', timestamp: '2026-01-01T00:00:00Z' };
    const { body } = await acme.post<{ memory_id: string }>('/memory', cup);
    expect((await acme.post('/memory', cup)).status).toBe(200);
    expect((await acme.delete('/memory/by-tag?tags=nothing')).status).toBe(200);
    expect(await records(acme, 'memory.create')).toMatchObject([{ target: body.memory_id, targets: null }]);
    expect(await records(acme, 'memory.delete')).toEqual([]);
  });
});
