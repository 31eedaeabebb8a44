import fc from 'fast-check';
import { CatchUp } from '../../../src/spaces/catch-up.js';
import { isOutage, SpaceUnavailable } from '../../../src/spaces/space-errors.js';
import { projectionContract } from '../../contracts/projection.contract.js';
import { MemoryLedger, MemoryProjection, type Thing, type Turn } from './memory-projection.js';

/** As many items as a step takes here: few, so that short histories are cut too. */
const STEP = 3;

function catchUpOf(ledger: MemoryLedger, projection: MemoryProjection, passed: Thing[] = []): CatchUp<Thing> {
  return new CatchUp<Thing>(
    projection,
    (after, limit) => ledger.after(after, Math.min(limit, STEP)),
    async (item) => void passed.push(item),
    isOutage,
  );
}

describe('the projection in memory', () => {
  projectionContract<Thing>(() => {
    const projection = new MemoryProjection();
    const ledger = new MemoryLedger();
    const first = ledger.id;
    ledger.backup()({ newEpoch: true });
    return {
      projection,
      ledger: first,
      otherLedger: ledger.id,
      item: (id, revision) => ({ id: String(id), revision, gone: false }),
      tombstone: (id, revision) => ({ id: String(id), revision, gone: true }),
      held: async () => projection.held.map(({ id, revision }) => ({ id: Number(id), revision })),
      exists: async () => projection.at.ledger !== null,
    };
  });
});

describe('catchUp', () => {
  type Step =
    | { do: 'commit'; changes: { id: string; gone: boolean }[] }
    | { do: 'catch up'; replica: 0 | 1 }
    | { do: 'wipe' | 'copy' | 'roll back' | 'outage' | 'restore under a new epoch' };

  const thing = fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), gone: fc.boolean() });
  const commit = fc.record({
    do: fc.constant('commit' as const),
    changes: fc.array(thing, { minLength: 1, maxLength: 5 }),
  });
  const catchUp = fc.record({
    do: fc.constant('catch up' as const),
    replica: fc.constantFrom(0 as const, 1 as const),
  });
  const fault = fc.record({
    do: fc.constantFrom('wipe', 'copy', 'roll back', 'outage', 'restore under a new epoch'),
  }) as fc.Arbitrary<Step>;

  /** Plays the steps in order; what they start goes on in whatever order the scheduler picks. */
  async function play(
    scheduler: fc.Scheduler,
    steps: Step[],
    refused: string[] = [],
  ): Promise<{
    ledger: MemoryLedger;
    projection: MemoryProjection;
    runs: Promise<unknown>[];
    passed: Thing[];
  }> {
    const turn: Turn = () => scheduler.schedule(Promise.resolve());
    const [ledger, projection] = [new MemoryLedger(turn), new MemoryProjection(turn)];
    projection.refuses = new Set(refused);
    const passed: Thing[] = [];
    const replicas = [catchUpOf(ledger, projection, passed), catchUpOf(ledger, projection, passed)];
    const runs: Promise<unknown>[] = [];
    let [putBack, restore] = [projection.copy(), ledger.backup()];
    const perform = (step: Step): void => {
      if (step.do === 'commit') ledger.commit(step.changes);
      else if (step.do === 'catch up') {
        // An outage fails the run, and the run alone.
        runs.push(
          replicas[step.replica]?.run().catch((error: unknown) => void isOutage(error)) ?? Promise.resolve(),
        );
      } else if (step.do === 'wipe') projection.wipe();
      else if (step.do === 'copy') [putBack, restore] = [projection.copy(), ledger.backup()];
      else if (step.do === 'roll back') putBack();
      else if (step.do === 'outage') projection.outage = new SpaceUnavailable('as if it were away');
      else restore({ newEpoch: true });
    };
    const played = (async () => {
      for (const step of steps) {
        perform(step);
        await turn();
      }
    })();
    await scheduler.waitFor(played.then(() => Promise.all(runs)));
    projection.outage = null;
    await scheduler.waitFor(Promise.all(replicas.map((replica) => replica.run())));
    return { ledger, projection, runs, passed };
  }

  it('ends with exactly what the ledger holds, whatever is wiped, rolled back, restored or raced in between', () =>
    fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.oneof({ weight: 3, arbitrary: commit }, { weight: 3, arbitrary: catchUp }, fault), {
          maxLength: 25,
        }),
        async (scheduler, steps) => {
          const { ledger, projection } = await play(scheduler, steps);
          expect(projection.held).toEqual(ledger.live);
          if (ledger.live.length > 0) {
            expect(projection.at).toEqual({ ledger: ledger.id, revision: ledger.revision });
          }
        },
      ),
      { numRuns: 400 },
    ));

  it('passes what the engine refuses, notes each of those, and takes everything else', () =>
    fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.oneof(commit, catchUp), { maxLength: 15 }),
        fc.subarray(['a', 'c', 'f']),
        async (scheduler, steps, refused) => {
          const { ledger, projection, passed } = await play(scheduler, steps, refused);
          expect(projection.held).toEqual(ledger.live.filter(({ id }) => !refused.includes(id)));
          for (const { id, revision } of ledger.live.filter((item) => refused.includes(item.id))) {
            expect(passed).toContainEqual({ id, revision, gone: false });
          }
        },
      ),
      { numRuns: 200 },
    ));

  it('has applied, once it resolves, everything that was committed before it was called', () =>
    fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.oneof(commit, catchUp), { maxLength: 20 }),
        async (scheduler, steps) => {
          const turn: Turn = () => scheduler.schedule(Promise.resolve());
          const [ledger, projection] = [new MemoryLedger(turn), new MemoryProjection(turn)];
          const line = catchUpOf(ledger, projection);
          const promises: Promise<void>[] = [];
          const played = (async () => {
            for (const step of steps as Step[]) {
              if (step.do === 'commit') ledger.commit(step.changes);
              else {
                const committed = ledger.revision;
                const check = () => expect(projection.at.revision).toBeGreaterThanOrEqual(committed);
                promises.push(line.run().then(check));
              }
              await turn();
            }
          })();
          await scheduler.waitFor(played.then(() => Promise.all(promises)));
        },
      ),
      { numRuns: 200 },
    ));

  it('shares the next run among all who come while one runs', async () => {
    const [ledger, projection] = [new MemoryLedger(), new MemoryProjection()];
    const line = catchUpOf(ledger, projection);
    ledger.commit([{ id: 'a', gone: false }]);
    const first = line.run();
    const shared = Array.from({ length: 20 }, (_, i) => {
      ledger.commit([{ id: `w${i % 2}`, gone: false }]);
      return line.run();
    });
    await Promise.all([first, ...shared]);
    expect(projection.applied).toBeLessThanOrEqual(3);
    expect(projection.held).toEqual(ledger.live);
  });

  it('drops a projection that is ahead of its ledger: the ledger was restored', async () => {
    const [ledger, projection] = [new MemoryLedger(), new MemoryProjection()];
    ledger.commit([{ id: 'a', gone: false }]);
    const restore = ledger.backup();
    ledger.commit([
      { id: 'a', gone: true },
      { id: 'b', gone: false },
    ]);
    await catchUpOf(ledger, projection).run();
    restore({ newEpoch: false });
    await catchUpOf(ledger, projection).run();
    expect(projection.held).toEqual([{ id: 'a', revision: 1 }]);
  });

  it('makes no store where there is nothing to project', async () => {
    const [ledger, projection] = [new MemoryLedger(), new MemoryProjection()];
    await catchUpOf(ledger, projection).run();
    expect(projection.at).toEqual({ ledger: null, revision: 0 });
  });

  it('says so where the watermark never stands still long enough', async () => {
    const ledger = new MemoryLedger();
    ledger.commit([{ id: 'a', gone: false }]);
    const projection = new MemoryProjection();
    jest.spyOn(projection, 'apply').mockResolvedValue('moved');
    await expect(catchUpOf(ledger, projection).run()).rejects.toThrow(SpaceUnavailable);
  });
});
