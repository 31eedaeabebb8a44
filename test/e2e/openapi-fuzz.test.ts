import { randomBytes } from 'node:crypto';
import { Agent } from 'node:http';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { Description } from '../support/described.js';
import { Loci } from '../support/loci.js';
import { sendRaw } from '../support/raw-request.js';
import { holds, seedInCi } from '../support/replayable.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { fuzzedRequests, written, type Described, type FuzzedRequest } from './fuzzed-request.js';
import { FuzzedWorld } from './fuzzed-world.js';

/** So many are under way at once: more than the ledger has connections. */
const AT_ONCE = 96;
const WAVES = 250;
/** So often a request is sent that falls into moves. */
const COMES_AGAIN = 5;
const LONGEST_MS = 3 * 3_600_000;

describe('whatever is made of /openapi.json', () => {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const sent = new Map<string, number>();
  let scratch: Awaited<ReturnType<typeof scratchFolder>>;
  let loci: Loci;
  let description: Description;
  let world: FuzzedWorld;

  beforeAll(async () => {
    scratch = await scratchFolder();
    await mkdir(scratch.path, { recursive: true });
    const placements = join(scratch.path, 'placements.json');
    await writeFile(placements, JSON.stringify({ shared: {}, second: {} }));
    const [old, next] = [1, 2].map(() => randomBytes(32).toString('base64')) as [string, string];
    loci = await Loci.start({
      LOCI_MASTER_KEY: old,
      LOCI_PLACEMENTS: placements,
      LOCI_RESOLVE_HOSTS: 'true',
      LOCI_ENRICHMENT: 'true',
      LOCI_WRONG_TOKENS_PER_MINUTE: '1000000',
      TRUST_PROXY: '1',
    });
    description = await Description.of(loci);
    world = await FuzzedWorld.in(loci);
    // There is a master key to change to.
    await loci.restart(undefined, { LOCI_MASTER_KEY: next, LOCI_MASTER_KEY_PREVIOUS: old });
  });
  afterAll(async () => {
    agent.destroy();
    await loci.stop();
    await scratch.remove();
  });

  async function answered(fuzzed: FuzzedRequest): Promise<void> {
    const { operation, home: of } = fuzzed;
    const home = world.home(...of);
    const request = written(fuzzed, world);
    sent.set(operation, (sent.get(operation) ?? 0) + 1);
    let reply = await sendRaw(loci.url, request, agent);
    // Others move tenants meanwhile: at the very moment of a switch one is asked to come again.
    for (let tries = 1; isMoving(reply) && tries < COMES_AGAIN; tries++) {
      await pause(1_000);
      reply = await sendRaw(loci.url, request, agent);
    }
    const fault = faultOf(request.method, request.path, reply);
    if (fault !== null) throw new Error(`${fault}\n${JSON.stringify(request)}`);
    if (reply.status < 300) world.learn(operation, home, reply);
  }

  const isMoving = ({ status, headers, body }: Awaited<ReturnType<typeof sendRaw>>): boolean =>
    status === 503 && body['code'] === 'space.unavailable' && headers.get('retry-after') !== null;

  function faultOf(method: string, path: string, reply: Awaited<ReturnType<typeof sendRaw>>): string | null {
    const { status, headers, body } = reply;
    if (status >= 500) return `${status} ${JSON.stringify(body)}`;
    const id = headers.get('x-request-id');
    if (id === null) return `${status} without X-Request-Id`;
    if (status >= 400 && (body['status'] !== status || body['request_id'] !== id))
      return `${status} ${id} is answered as ${JSON.stringify(body)}`;
    const text = body['unreadable'];
    return description.faultOf(method, path, text === undefined ? reply : { ...reply, body: text });
  }

  it(
    'is answered as it says, with less than 500',
    async () => {
      const wave = fc.array(fuzzedRequests(description.document as unknown as Described), {
        minLength: AT_ONCE,
        maxLength: AT_ONCE,
        size: 'max',
      });
      await holds(
        fc.asyncProperty(wave, async (requests) => {
          await Promise.all(requests.map(answered));
        }),
        WAVES,
        // What is made smaller would be sent to a world that is another one by now: the failure names its request.
        { seed: seedInCi(20_260_101), endOnFailure: true },
      );
    },
    LONGEST_MS,
  );

  it('was every operation, often, and every one was done at least once', () => {
    const all = [...sent.values()].reduce((sum, some) => sum + some, 0);
    expect(all).toBeGreaterThanOrEqual(20_000);
    const operations = description.operations();
    expect(operations.filter((name) => (sent.get(name) ?? 0) < 50)).toEqual([]);
    expect(description.unseen(operations)).toEqual([]);
  });

  it('leaves the server whole: nobody lost anything, and every record of it is there', async () => {
    expect((await loci.operator.get('/health')).body).toMatchObject({ status: 'healthy' });
    const { slug, tokens } = world.home('lasting', 0);
    const stored = await loci.as(tokens.whole ?? '').post('/memory', { content: 'After all that' });
    expect(stored).toMatchObject({ status: 201, body: { indexed: true } });
    expect((await loci.operator.post(`/admin/tenants/${slug}/verify`)).body).toMatchObject({
      equal: true,
    });
    expect((await loci.operator.get('/admin/audit/verify')).body).toMatchObject({ ok: true });
  });
});
