import { QdrantEngine } from '../../../src/spaces/qdrant/qdrant-engine.js';
import { TOKEN_LIFE, tenantToken } from '../../../src/spaces/qdrant/tenant-token.js';
import { SpaceUnavailable } from '../../../src/spaces/space-errors.js';
import { ledgerOf, newAddress, newWorkspace } from '../../contracts/engine-under-test.js';
import { point, question, towards } from '../../contracts/points.js';
import { applyItems } from '../../contracts/projection.contract.js';
import { QdrantStandIn } from '../../support/qdrant/stand-in.js';

const MODEL = { name: 'walls', dimensions: 4 };
const KEY = 'the-operators-key';

describe("a tenant's token", () => {
  let server: QdrantStandIn;
  let engine: QdrantEngine;
  const workspace = newWorkspace();
  const mine = newAddress();
  const theirs = newAddress();

  beforeEach(async () => {
    server = await QdrantStandIn.start({ apiKey: KEY });
    engine = new QdrantEngine({ url: server.url, apiKey: KEY });
    for (const address of [mine, theirs]) {
      const space = engine.open(address, MODEL);
      await applyItems(space, ledgerOf(address), [
        point(workspace, { revision: 1, text: 'tea', vector: towards(4, 1) }),
      ]);
    }
  });
  afterEach(async () => {
    await engine.close();
    await server.close();
  });

  it('is what every read and write of points goes with, never the key', async () => {
    await engine.open(mine, MODEL).search(question(workspace, { text: 'tea' }));
    const points = server.calls.filter(({ route }) => route.includes('/points'));
    expect(points.length).toBeGreaterThan(5);
    expect(points.every(({ bearer }) => bearer !== null)).toBe(true);
    const made = server.calls.filter(({ method, route }) => method === 'PUT' && !route.includes('/points'));
    expect(made.every(({ bearer }) => bearer === null)).toBe(true);
  });

  it.each<[string, string, (name: string) => string, unknown]>([
    ['searched', 'POST', (name) => `/collections/${name}/points/query`, { query: [1, 0, 0, 0], limit: 5 }],
    ['listed', 'POST', (name) => `/collections/${name}/points/scroll`, { limit: 5 }],
    ['written', 'POST', (name) => `/collections/${name}/points/batch`, { operations: [] }],
    ['emptied', 'POST', (name) => `/collections/${name}/points/delete`, { filter: {} }],
    ['looked at', 'GET', (name) => `/collections/${name}`, undefined],
    ['deleted', 'DELETE', (name) => `/collections/${name}`, undefined],
  ])(
    "gets another tenant's collection not even %s: the store itself refuses",
    async (_, method, path, body) => {
      await engine.open(mine, MODEL).count();
      // No filter, name or check of Loci's is in the way: the token as it was sent, on the other collection.
      const bearer =
        server.calls.findLast((call) => call.path['collection_name'] === mine.name)?.bearer ?? '';
      const answer = await fetch(`${server.url}${path(theirs.name)}`, {
        method,
        headers: { authorization: bearer, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      expect(answer.status).toBe(403);
      expect(await engine.open(theirs, MODEL).count()).toBe(1);
    },
  );

  it('ends after an hour, and is renewed long before', async () => {
    const now = 1_800_000_000_000;
    const [, claims = ''] = tenantToken(KEY, mine.name, now).split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toEqual({
      exp: now / 1000 + TOKEN_LIFE,
      access: [{ collection: mine.name, access: 'rw' }],
    });
    let clock = Date.now();
    const renewed = new QdrantEngine({ url: server.url, apiKey: KEY }, () => clock);
    const tokenNow = async (): Promise<string | null | undefined> => {
      await renewed.open(mine, MODEL).count();
      return server.calls.at(-1)?.bearer;
    };
    const first = await tokenNow();
    clock += TOKEN_LIFE * 500 - 1_000;
    expect(await tokenNow()).toBe(first);
    clock += 2_000;
    expect(await tokenNow()).not.toBe(first);
    await renewed.close();
  });

  it('that the server refuses is an outage that names what to look at', async () => {
    const wrong = new QdrantEngine({ url: server.url, apiKey: 'another-key' });
    const refused = await wrong
      .open(mine, MODEL)
      .watermark()
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(SpaceUnavailable);
    expect((refused as SpaceUnavailable).details.internal).toContain('jwt_rbac');
    expect(JSON.stringify((refused as SpaceUnavailable).details.internal)).not.toContain('another-key');
    await expect(wrong.ping()).rejects.toThrow(SpaceUnavailable);
    await wrong.close();
  });
});
