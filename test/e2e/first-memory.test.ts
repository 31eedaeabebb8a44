import { Loci } from '../support/loci.js';

describe('a tenant’s memory', () => {
  let loci: Loci;
  beforeAll(async () => {
    loci = await Loci.start();
  });
  afterAll(() => loci.stop());

  it('recalls what was stored, indexed by the time the store answers', async () => {
    const acme = await loci.tenant();
    const stored = await acme.post('/memory', { content: 'Alice prefers tea in the morning.' });
    expect(stored).toMatchObject({ status: 201, body: { status: 'success', indexed: true, created: true } });
    const { body } = await acme.get<{ results: { id: string }[] }>('/recall?query=what+does+Alice+drink');
    expect(body.results[0]?.id).toBe(stored.body['memory_id']);
  });

  it('shows a tenant nothing of another', async () => {
    const [acme, other] = [await loci.tenant(), await loci.tenant()];
    await acme.post('/memory', { content: 'The vault opens at nine.' });
    expect((await other.get('/recall?query=vault')).body).toMatchObject({ count: 0, results: [] });
  });

  it('finds everything again after a restart', async () => {
    const acme = await loci.tenant();
    await acme.post('/memory', { content: 'The meeting moved to Thursday.' });
    await loci.restart();
    expect((await acme.get('/recall?query=meeting')).body).toMatchObject({ count: 1 });
  });
});
