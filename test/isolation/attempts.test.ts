import { randomUUID } from 'node:crypto';
import { ModulesContainer } from '@nestjs/core';
import { writeCursor } from '../../src/platform/http/cursor.js';
import { admits, permissionsOf } from '../../src/tenancy/permissions.js';
import { Loci, type TestTenant } from '../support/loci.js';
import { liveRoutes, nameOf } from '../support/live-routes.js';
import { callersOf, type NamedCaller } from './callers.js';
import { QuickCaller, type QuickReply } from './quick-caller.js';
import { TENANT_ROUTES, type Names, type Own, type Probe } from './route-table.js';
import {
  addWorkspace,
  furnish,
  ledgerOf,
  MARK,
  namesOfNobody,
  TIME,
  type StrangersWorkspace,
} from './strangers.js';

const ATTEMPTS = 20_000;
const AT_ONCE = 8;
const FORBIDDEN = '403 auth.forbidden';
const MEMORIES = 700;

/** Somebody who is not to see these strangers. */
interface Pairing {
  who: NamedCaller;
  strangers: StrangersWorkspace;
  /** Every name of theirs. */
  theirs: ReadonlySet<string>;
}

/**
 * `routes.test.ts` compares answers letter by letter, for two callers. Here everybody who can call tries every place of
 * every route, and every id, many at once: what is compared is the status and the code, and that nothing of the strangers'
 * is in any answer.
 */
describe('twenty thousand attempts to reach what is another’s', () => {
  let loci: Loci;
  let quick: QuickCaller;
  let acme: TestTenant;
  let own: Own;
  let strangers: { other: StrangersWorkspace; sibling: StrangersWorkspace };
  let pairings: Pairing[];
  let attempts = 0;
  let pastTheGuard = 0;
  const leaks: string[] = [];

  beforeAll(async () => {
    loci = await Loci.start();
    quick = new QuickCaller(loci.url, AT_ONCE);
    acme = await loci.tenant({ settings: { quotas: { max_api_calls_per_minute: 10_000_000 } } });
    const other = await loci.tenant();
    strangers = {
      other: await furnish(other, other, await addWorkspace(loci, other), {
        memories: MEMORIES,
        members: 20,
      }),
      sibling: await furnish(acme, acme, await addWorkspace(loci, acme), { memories: MEMORIES }),
    };
    let contents = 0;
    const content = () => `What Acme says for the ${++contents}th time`;
    const { body } = await acme.post<{ memory_ids: [string, string] }>('/memory/batch', {
      memories: [{ content: content(), tags: ['own'] }, { content: content() }],
    });
    const member = { email: `${randomUUID()}@own.example`, role: 'tenant_viewer' };
    const made = await acme.post<{ id: string }>('/v1/tenants/current/members', member);
    own = { memories: body.memory_ids, workspace: acme.workspaceId, member: made.body.id, content };
    const callers = await callersOf(loci, acme);
    pairings = callers.flatMap((who) => [
      { who, strangers: strangers.other, theirs: allOf(strangers.other) },
      // Who sees the whole tenant may see all workspaces of it.
      ...(who.reach === 'workspace'
        ? [{ who, strangers: strangers.sibling, theirs: allOf(strangers.sibling) }]
        : []),
    ]);
  }, 300_000);
  afterAll(async () => {
    await quick.close();
    await loci.stop();
  });

  /** The status and, of a refusal, the code. */
  const outcomeOf = ({ status, text }: QuickReply): string =>
    status < 400 ? '2xx' : `${status} ${/"code":"([^"]+)"/.exec(text)?.[1] ?? ''}`;

  /** What of the strangers' stands in an answer to somebody who did not send it. */
  function toldBy({ text }: QuickReply, probe: Probe, theirs: ReadonlySet<string>): string[] {
    const names = text.match(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|w-[0-9a-f]{12}/g) ?? [];
    const found = names.filter((name) => theirs.has(name));
    if (text.includes(MARK)) found.push(MARK);
    if (found.length === 0) return [];
    const sent = JSON.stringify(probe);
    return found.filter((name) => !sent.includes(name));
  }

  /** `expected`: what somebody is answered who sends a name that never was. */
  async function attempt(by: Pairing, route: string, probe: Probe, expected: string): Promise<void> {
    const reply = await quick.send(by.who.caller.token, probe);
    attempts++;
    if (!/ (?:auth\.|tenant_mismatch)/.test(expected)) pastTheGuard++;
    const outcome = outcomeOf(reply);
    const isRead = probe.method === 'GET';
    // A name that another caller of this tenant has used before may be taken, in the tenant's own house.
    const isTaken = !isRead && expected === '2xx' && outcome.startsWith('409 ');
    if (outcome !== expected && !isTaken) leaks.push(`${route}, ${by.who.name}: ${outcome} for ${expected}`);
    // What was written under a foreign name is the tenant's own: after that, names tell nothing.
    const told = toldBy(reply, probe, isRead ? by.theirs : new Set());
    if (told.length > 0) leaks.push(`${route}, ${by.who.name}: tells ${told.slice(0, 3).join(', ')}`);
  }

  /** Every place of the routes of these methods, by everybody at once. */
  async function everyPlace(isMethod: (method: string) => boolean): Promise<void> {
    const permissions = permissionsOf(loci.server.app.get(ModulesContainer));
    const accessOf = new Map(
      permissions.flatMap(({ method, paths, access }) => paths.map((path) => [`${method} ${path}`, access])),
    );
    const routes = liveRoutes(loci.server.app).filter(({ method }) => isMethod(method));
    await quick.each(pairings, async (by) => {
      const names = namesAgainAndAgain(by.strangers);
      for (const route of routes.map(nameOf)) {
        const prefixed = !(route in TENANT_ROUTES);
        // The same handler: `routes.test.ts` tries it under both of its paths.
        if (prefixed && !route.startsWith('GET ')) continue;
        const entry = TENANT_ROUTES[prefixed ? route.replace(/^(\w+) \/v1\//, '$1 /') : route];
        const refused = !admits(accessOf.get(route) ?? 'undeclared', by.who.scopes);
        let expected = FORBIDDEN;
        for (const [place, request] of Object.entries(entry?.places ?? {})) {
          if (by.strangers === strangers.sibling && place.startsWith('X-Tenant-ID')) continue;
          const probeWith = (of: Names): Probe => {
            const probe = request(own, of);
            return prefixed ? { ...probe, path: `/v1${probe.path}` } : probe;
          };
          if (place.startsWith('X-Tenant-ID')) {
            await attempt(by, `${route}, ${place}`, probeWith(names), '403 tenant_mismatch');
            continue;
          }
          // Whom the guard refuses it refuses whatever is named.
          if (!refused) {
            expected = outcomeOf(await quick.send(by.who.caller.token, probeWith(namesOfNobody())));
          }
          await attempt(by, `${route}, ${place}`, probeWith(names), expected);
        }
      }
    });
    expect(leaks).toEqual([]);
  }

  it('by reading, at every place of every route, by everybody', async () => {
    await everyPlace((method) => method === 'GET');
  }, 900_000);

  it('by reading every memory they have, by everybody who reads', async () => {
    for (const by of pairings.filter(({ who }) => who.scopes.has('memory:read'))) {
      await quick.each(by.strangers.memories, (id) =>
        attempt(by, 'GET /memory/:id', { method: 'GET', path: `/memory/${id}` }, '404 memory.not_found'),
      );
    }
    expect(leaks).toEqual([]);
  }, 900_000);

  it('by writing, at every place of every route, by everybody', async () => {
    const lookAtBoth = () => Promise.all(Object.values(strangers).map((one) => ledgerOf(loci, one)));
    const before = await lookAtBoth();
    await everyPlace((method) => method !== 'GET');
    expect(await lookAtBoth()).toEqual(before);
  }, 900_000);

  it('were twenty thousand at least, most of them beyond the guard', () => {
    expect(attempts).toBeGreaterThanOrEqual(ATTEMPTS);
    expect(pastTheGuard).toBeGreaterThan(ATTEMPTS / 2);
  });
});

function allOf({ memories, keys, agents, members, triggers, words }: StrangersWorkspace): Set<string> {
  return new Set([
    ...memories,
    ...keys,
    ...members,
    ...triggers,
    ...words,
    ...agents.flatMap(({ id, slug }) => [id, slug]),
  ]);
}

/** From the beginning again after the last one. */
function namesAgainAndAgain({
  memories,
  words,
  keys,
  members,
  triggers,
  agents,
  workspace,
  tenant,
}: StrangersWorkspace): Names {
  let turn = 0;
  const pick = <T>(all: readonly T[], none: T): T => all[turn++ % Math.max(1, all.length)] ?? none;
  const memory = () => pick(memories, '');
  return {
    memory,
    word: () => pick(words, ''),
    cursor: () => writeCursor({ time: TIME, id: memory() }),
    key: () => pick(keys, ''),
    member: () => pick(members, randomUUID()),
    trigger: () => pick(triggers, randomUUID()),
    agent: () => pick(agents, { id: '', slug: '' }),
    workspace,
    tenant,
  };
}
