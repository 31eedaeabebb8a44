import fc from 'fast-check';
import { CatchUp, type Committed } from '../../../src/spaces/catch-up.js';
import type { Projection } from '../../../src/spaces/projection.js';
import { isOutage } from '../../../src/spaces/space-errors.js';
import { MemoryLedger, type Thing, type Turn } from './memory-ledger.js';
import { MemoryProjection, same } from './memory-projection.js';
import { Wire, type Fate, type MemoryStore, type Shown } from './memory-store.js';

/** As many items as a step takes here: few, so that short histories are cut too. */
const STEP = 3;
const MOST_PROCESSES = 3;

/**
 * What a process does, one thing after the other; `write` waits for its projection, as a reply does. Some writes bring what
 * they have committed along.
 */
type Doing =
  { do: 'write' | 'store'; changes: { id: string; gone: boolean }[]; brings: boolean } | { do: 'catch up' };
/** What befalls processes, the store and the ledger meanwhile. */
type Mishap =
  | { do: 'crash'; process: number }
  | { do: 'lose tail'; changes: number }
  | { do: 'wipe' | 'back up' | 'restore' | 'nothing' };

export interface Story {
  processes: { doing: Doing[]; fates: Fate[] }[];
  mishaps: Mishap[];
}

const changes = fc.array(fc.record({ id: fc.constantFrom(...'abcdefg'), gone: fc.boolean() }), {
  minLength: 1,
  maxLength: 5,
});
const doing: fc.Arbitrary<Doing> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('write', 'store'), changes, brings: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.constant({ do: 'catch up' as const }) },
);
const mishap: fc.Arbitrary<Mishap> = fc.oneof(
  fc.record({ do: fc.constant('crash' as const), process: fc.nat({ max: MOST_PROCESSES - 1 }) }),
  fc.record({ do: fc.constant('lose tail' as const), changes: fc.integer({ min: 1, max: 9 }) }),
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('wipe', 'back up', 'restore', 'restore', 'nothing') }),
  },
);
const fate = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>('done') },
  { weight: 4, arbitrary: fc.constantFrom<Fate>('lost', 'answer lost', 'late', 'twice') },
);
export const story: fc.Arbitrary<Story> = fc.record({
  processes: fc.array(
    fc.record({ doing: fc.array(doing, { maxLength: 8 }), fates: fc.array(fate, { maxLength: 30 }) }),
    { minLength: 1, maxLength: MOST_PROCESSES },
  ),
  mishaps: fc.array(mishap, { maxLength: 8 }),
});

export type Shows = Projection<Thing> & Shown;

/** A kind of store, and how a process reaches it. */
export interface Kind<State> {
  store: () => MemoryStore<State>;
  reach: (store: MemoryStore<State>, wire: Wire) => Shows;
}

function lineOf(ledger: MemoryLedger, projection: Projection<Thing>): CatchUp<Thing> {
  return new CatchUp<Thing>(
    projection,
    (after, limit) => ledger.after(after, Math.min(limit, STEP)),
    (item, error) => Promise.reject(new Error(`${item.id} was taken for unindexable: ${String(error)}`)),
    isOutage,
  );
}

/** What the same ledger gives in a store that had no history at all. */
async function rebuilt(ledger: MemoryLedger): Promise<Shown> {
  const fresh = new MemoryProjection();
  await lineOf(ledger, fresh).run();
  return fresh;
}

/** A process: its way to the store, its projection, its one line. A crash leaves nothing of it but what it has sent. */
class Process {
  private wire: Wire;
  private line: CatchUp<Thing>;
  private ended: () => void = () => undefined;
  private end: Promise<void> = Promise.resolve();
  readonly runs: Promise<void>[] = [];

  constructor(
    private readonly ledger: MemoryLedger,
    private readonly begin: (wire: Wire) => Shows,
    private readonly turn: Turn,
    private readonly fates: Fate[],
  ) {
    [this.wire, this.line] = this.start();
  }

  async perform(step: Doing): Promise<void> {
    const committed = step.do === 'catch up' ? null : this.ledger.commit(step.changes);
    const run = this.catchUp(step.do !== 'catch up' && step.brings ? committed : null);
    this.runs.push(run);
    if (step.do === 'write') await run;
  }

  /** Another process takes its place. */
  crash(): void {
    this.wire.kill();
    this.ended();
    [this.wire, this.line] = this.start();
  }

  /** From here on, whatever it asks is simply done. */
  calm(): void {
    this.fates.length = 0;
  }

  /** An outage fails the run, and the run alone; a crash ends it. */
  private catchUp(committed: Committed<Thing> | null): Promise<void> {
    const run = this.line.run(committed).catch((error: unknown) => {
      if (!isOutage(error)) throw error;
    });
    return Promise.race([run, this.end]);
  }

  private start(): [Wire, CatchUp<Thing>] {
    this.end = new Promise((resolve) => (this.ended = resolve));
    const wire = new Wire(this.turn, this.fates);
    return [wire, lineOf(this.ledger, this.begin(wire))];
  }
}

/**
 * Plays a story, in whatever order the scheduler lets its parts go on, until nothing is on its way any more; then each
 * process is asked once more.
 */
export async function play<State>(
  scheduler: fc.Scheduler,
  { processes, mishaps }: Story,
  kind: Kind<State>,
): Promise<void> {
  const store = kind.store();
  let contradiction: Error | null = null;
  /** A store that says it is where the ledger is holds what the ledger holds, at every moment. */
  const look = (): void => {
    const shown = kind.reach(store, new Wire());
    if (!same(shown.at, { ledger: ledger.id, revision: ledger.revision })) return;
    try {
      expect(shown.held).toEqual(ledger.live);
    } catch (error) {
      contradiction ??= error as Error;
    }
  };
  const turn: Turn = () => scheduler.schedule(Promise.resolve()).then(look);
  const ledger = new MemoryLedger(turn);
  const begun = processes.map(
    ({ fates }) => new Process(ledger, (wire) => kind.reach(store, wire), turn, [...fates]),
  );
  let restore = ledger.backup();
  const befall = (step: Mishap): void => {
    if (step.do === 'crash') begun[step.process]?.crash();
    else if (step.do === 'wipe') store.wipe();
    else if (step.do === 'lose tail') store.loseTail(step.changes);
    else if (step.do === 'back up') restore = ledger.backup();
    else if (step.do === 'restore') restore({ newEpoch: true });
  };
  const inTurn = async <Step>(steps: readonly Step[], perform: (step: Step) => Promise<void> | void) => {
    for (const step of steps) {
      await perform(step);
      look();
      await turn();
    }
  };
  const all = [
    ...begun.map((process, number) =>
      inTurn(processes[number]?.doing ?? [], (step) => process.perform(step)),
    ),
    inTurn(mishaps, befall),
  ];
  await scheduler.waitFor(Promise.all(all));
  await scheduler.waitFor(Promise.all(begun.flatMap(({ runs }) => runs)));
  await scheduler.waitIdle();
  for (const process of begun) process.calm();
  await scheduler.waitFor(Promise.all(begun.map((process) => process.perform({ do: 'catch up' }))));
  await scheduler.waitFor(Promise.all(begun.flatMap(({ runs }) => runs)));
  if (contradiction !== null) throw contradiction as Error;
  const [shown, fresh] = [kind.reach(store, new Wire()), await scheduler.waitFor(rebuilt(ledger))];
  expect(shown.held).toEqual(fresh.held);
  if (fresh.at.ledger !== null) expect(shown.at).toEqual(fresh.at);
}
