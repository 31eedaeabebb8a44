import { withFalkorDb } from '../support/falkordb.js';
import { Load } from './load.js';
import { Palace } from './palace.js';
import { expectRecovered, LONG, report, WITHIN_MS } from './recovery.js';
import type { TcpProxy } from './tcp-proxy.js';

const CUTS = LONG ? 60 : 12;
/** A line that has fallen silent is given up after so long: only then can what waits on it begin to recover. */
const GIVEN_UP_MS = 8_000;
const TIME = 240_000;

const pause = (milliseconds: number) => new Promise((resume) => setTimeout(resume, milliseconds));

/** What is done to the line between Loci and a store, and how long after it all is to be well. */
interface Hurt {
  what: string;
  do: (line: TcpProxy) => Promise<void>;
  withinMs: number;
}

const HURTS: Hurt[] = [
  {
    what: `cut in the middle of requests, ${CUTS} times`,
    do: async (line) => {
      for (let cut = 0; cut < CUTS; cut++) {
        await pause(20 + ((cut * 37) % 130));
        line.cut();
      }
    },
    withinMs: WITHIN_MS,
  },
  {
    what: 'half open: every connection forgotten, and nobody told',
    do: async (line) => {
      line.forget();
      await pause(500);
    },
    withinMs: WITHIN_MS + GIVEN_UP_MS,
  },
  {
    what: 'late by a fifth of a second for two seconds',
    do: async (line) => {
      line.turn({ lateMs: 200 });
      await pause(2_000);
      line.turn('open');
    },
    withinMs: WITHIN_MS,
  },
];

const LONG_HURTS: Hurt[] = [
  {
    what: 'cut, and refused for two seconds',
    do: async (line) => {
      line.turn('shut');
      await pause(2_000);
      line.turn('open');
    },
    withinMs: WITHIN_MS,
  },
  {
    what: 'silent for three seconds, for new connections too',
    do: async (line) => {
      line.turn('silent');
      await pause(3_000);
      line.turn('open');
    },
    withinMs: WITHIN_MS + GIVEN_UP_MS,
  },
];

withFalkorDb('a line to a store, under load', () => {
  describe.each<[string, boolean, (palace: Palace) => TcpProxy]>([
    ['PostgreSQL', false, (palace) => palace.servers.postgres.line],
    ['FalkorDB', false, (palace) => palace.servers.falkordb.line],
    ['Qdrant’s stand-in', true, (palace) => palace.qdrant.line],
  ])('to %s', (store, qdrant, lineOf) => {
    let palace: Palace;
    beforeAll(async () => (palace = await Palace.onServers({ qdrant })), TIME);
    afterAll(() => palace.close(), TIME);

    it.each(LONG ? [...HURTS, ...LONG_HURTS] : HURTS)(
      '$what: nothing that was acknowledged is lost, and every projection comes to its ledger',
      async ({ what, do: hurt, withinMs }) => {
        const dwellers = [await palace.tenant()];
        const load = new Load(dwellers, { writers: 3, readers: 1 });
        await load.acknowledges(10);
        await hurt(lineOf(palace));
        const endedAt = performance.now();
        await load.acknowledges(10);
        await load.stop();
        const took = await expectRecovered(palace, dwellers, load, endedAt, withinMs);
        report(`${store}, ${what}`, load, took);
      },
      TIME,
    );
  });
});
