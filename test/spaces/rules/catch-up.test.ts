import fc from 'fast-check';
import { CatchUp } from '../../../src/spaces/catch-up.js';
import { isOutage, SpaceUnavailable } from '../../../src/spaces/space-errors.js';
import { holds } from '../../support/replayable.js';
import { MemoryLedger, type Thing, type Turn } from './memory-ledger.js';
import { MemoryProjection, transactedStore } from './memory-projection.js';
import { Wire } from './memory-store.js';

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

describe('catchUp', () => {
  const thing = fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), gone: fc.boolean() });
  const commit = fc.record({
    do: fc.constant('commit' as const),
    changes: fc.array(thing, { minLength: 1, maxLength: 5 }),
  });
  const catchUp = fc.record({ do: fc.constant('catch up' as const) });
  const steps = fc.array(fc.oneof(commit, catchUp), { maxLength: 20 });

  it('passes what the engine refuses, notes each of those, and takes everything else', () =>
    holds(
      fc.asyncProperty(
        fc.scheduler(),
        steps,
        fc.subarray(['a', 'c', 'f']),
        async (scheduler, steps, refused) => {
          const turn: Turn = () => scheduler.schedule(Promise.resolve());
          const ledger = new MemoryLedger(turn);
          const projection = new MemoryProjection(transactedStore(), new Wire(turn));
          projection.refuses = new Set(refused);
          const passed: Thing[] = [];
          const replicas = [catchUpOf(ledger, projection, passed), catchUpOf(ledger, projection, passed)];
          const runs: Promise<void>[] = [];
          const played = (async () => {
            for (const [number, step] of steps.entries()) {
              if (step.do === 'commit') ledger.commit(step.changes);
              else runs.push(replicas[number % 2]?.run() ?? Promise.resolve());
              await turn();
            }
          })();
          await scheduler.waitFor(played.then(() => Promise.all(runs)));
          await scheduler.waitFor(Promise.all(replicas.map((replica) => replica.run())));
          expect(projection.held).toEqual(ledger.live.filter(({ id }) => !refused.includes(id)));
          for (const item of ledger.live.filter(({ id }) => refused.includes(id)))
            expect(passed).toContainEqual(item);
        },
      ),
      200,
    ));

  it('has applied, once it resolves, everything that was committed before it was called', () =>
    holds(
      fc.asyncProperty(fc.scheduler(), steps, async (scheduler, steps) => {
        const turn: Turn = () => scheduler.schedule(Promise.resolve());
        const ledger = new MemoryLedger(turn);
        const projection = new MemoryProjection(transactedStore(), new Wire(turn));
        const line = catchUpOf(ledger, projection);
        const promises: Promise<void>[] = [];
        const played = (async () => {
          for (const step of steps) {
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
      }),
      200,
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

  describe('that is told what was just committed', () => {
    function asked(ledger: MemoryLedger, projection: MemoryProjection) {
      const after = jest.spyOn(ledger, 'after');
      return { after, line: catchUpOf(ledger, projection) };
    }
    const many = (count: number, name = 'm') =>
      Array.from({ length: count }, (_, at) => ({ id: `${name}${at}`, gone: false }));

    it('applies it without asking the ledger, where the projection stands where the write began', async () => {
      const [ledger, projection] = [new MemoryLedger(), new MemoryProjection()];
      const { after, line } = asked(ledger, projection);
      ledger.commit([{ id: 'a', gone: false }]);
      await line.run();
      after.mockClear();
      await line.run(ledger.commit(many(600)));
      const [one, two] = [ledger.commit(many(2, 'x')), ledger.commit(many(2, 'y'))];
      await Promise.all([line.run(one), line.run(two)]);
      expect(after).not.toHaveBeenCalled();
      expect(projection.held).toEqual(ledger.live);
      expect(projection.at.revision).toBe(ledger.revision);
    });

    it('asks the ledger, where something else was written in between, the store is empty or the ledger another', async () => {
      const [ledger, projection] = [new MemoryLedger(), new MemoryProjection()];
      const { line } = asked(ledger, projection);
      await line.run(ledger.commit(many(2, 'first')));
      expect(projection.held).toEqual(ledger.live);
      ledger.commit([{ id: 'from elsewhere', gone: false }]);
      await line.run(ledger.commit(many(2, 'second')));
      expect(projection.held).toEqual(ledger.live);
      ledger.backup()({ newEpoch: true });
      await line.run(ledger.commit(many(2, 'third')));
      expect(projection.at.ledger).toBe(ledger.id);
      expect(projection.held).toEqual(ledger.live);
    });

    it('still takes everything for whoever brought nothing along', async () => {
      const [ledger, projection] = [new MemoryLedger(), new MemoryProjection()];
      const { line } = asked(ledger, projection);
      ledger.commit([{ id: 'a', gone: false }]);
      await line.run();
      const brought = ledger.commit(many(2));
      ledger.commit([{ id: 'from elsewhere', gone: false }]);
      await Promise.all([line.run(brought), line.run()]);
      expect(projection.held).toEqual(ledger.live);
    });
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
    expect(projection.held).toMatchObject([{ id: 'a', revision: 1 }]);
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
