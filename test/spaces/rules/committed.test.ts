import { randomUUID } from 'node:crypto';
import { ChangeFeed } from '../../../src/ledger/change-feed.js';
import { Space, type CommittedItems } from '../../../src/spaces/space.js';
import { tenantOf } from '../../isolation/two-palaces.js';
import { Loci, type TestTenant } from '../../support/loci.js';
import { expectProjected, someVector } from './projected.js';

describe('what a write brings along for its projections', () => {
  let loci: Loci;
  let acme: TestTenant;
  beforeAll(async () => {
    loci = await Loci.start();
  });
  afterAll(() => loci.stop());
  beforeEach(async () => {
    acme = await loci.tenant();
    await acme.post('/memory', { content: 'The first', session_id: 's', timestamp: '2026-01-01T10:00:00Z' });
  });
  afterEach(() => jest.restoreAllMocks());

  const broughtBy = async (memories: object[]): Promise<CommittedItems | null | undefined> => {
    const indexed = jest.spyOn(Space.prototype, 'indexed');
    expect((await acme.post('/memory/batch', { memories })).status).toBe(201);
    return indexed.mock.calls[0]?.[0];
  };

  it('is to the last bit what the ledger tells of it', async () => {
    const brought = await broughtBy([
      {
        content: 'Caf\u00e9 au lait, 3 cups — Zo\u00eb’s running shoes',
        tags: ['b', 'a', 'b'],
        importance: 0.1,
      },
      { content: 'A vector of its own', embedding: someVector(), metadata: { deep: [1] }, type: 'Decision' },
      {
        content: 'Who waits?',
        importance: 0.123456789,
        session_id: 's',
        timestamp: '2026-01-01T10:01:00.123Z',
        user_id: 'u',
      },
      { content: 'Nobody.', session_id: 's', timestamp: '2026-01-01T10:02:00Z', agent_id: randomUUID() },
      { content: 'For a while', t_valid: '2020-01-01T00:00:00Z', t_invalid: '2030-01-01T00:00:00Z' },
      { content: 'Of somebody', tags: ['entity:people:ada', 'a'] },
      { content: '…', confidence: 0.3, timestamp: '0001-01-01T00:00:00Z' },
    ]);
    const tenant = await tenantOf(loci, acme);
    const feed = loci.server.app.get(ChangeFeed);
    const from = brought?.vectors.from ?? 0;
    expect(from).toBeGreaterThan(0);
    const points = await feed.memoriesAfter(tenant, tenant.embeddingModel, from, 1_000);
    const nodes = await feed.graphAfter(tenant, from, 1_000);
    expect(brought).toEqual({
      vectors: { ledger: points.ledger, from, to: points.to, items: points.items },
      graph: { ledger: nodes.ledger, from, to: nodes.to, items: nodes.items },
    });
    await expectProjected(loci, acme);
  });

  it('is nothing where the write has changed other memories too', async () => {
    const before = { content: 'Before it', session_id: 's', timestamp: '2026-01-01T09:00:00Z' };
    expect(await broughtBy([before, { content: 'Another' }])).toBeNull();
  });

  it('is nothing where nothing was added', async () => {
    await acme.post('/memory', { content: 'Twice', timestamp: '2026-01-01T10:00:00Z' });
    const again = { content: 'Twice', timestamp: '2026-01-01T10:00:00Z' };
    const indexed = jest.spyOn(Space.prototype, 'indexed');
    expect((await acme.post('/memory', again)).status).toBe(200);
    expect(indexed.mock.calls[0]?.[0] ?? null).toBeNull();
  });
});
