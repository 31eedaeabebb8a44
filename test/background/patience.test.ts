import { Patience } from '../../src/background/patience.js';
import { Traffic } from '../../src/platform/traffic.js';

const answer = (headersSent = false) => ({ headersSent });

/** Whether it resolves while `until` does not: by what comes first, and by no clock. */
async function comesBefore(first: Promise<void>, other: Promise<unknown>): Promise<boolean> {
  return Promise.race([first.then(() => true), other.then(() => false)]);
}

const someTime = (ms: number) => new Promise((resume) => setTimeout(resume, ms).unref());

describe('traffic', () => {
  it('is never quiet while somebody waits, and is once they are answered', async () => {
    const traffic = new Traffic();
    expect(traffic.quietMs()).toBe(Infinity);
    const one = answer();
    const other = answer();
    traffic.arrived(one);
    traffic.arrived(other);
    traffic.left(one);
    await someTime(5);
    expect(traffic.quietMs()).toBe(0);
    traffic.left(other);
    await someTime(5);
    expect(traffic.quietMs()).toBeGreaterThan(0);
  });

  it('counts nobody who reads a stream', () => {
    const traffic = new Traffic();
    traffic.arrived(answer(true));
    expect(traffic.quietMs()).toBe(Infinity);
  });
});

describe('patience', () => {
  it('waits for nothing where nobody is there', async () => {
    const patience = new Patience(new Traffic());
    patience.worked(10_000);
    expect(await comesBefore(patience.calm(), someTime(0))).toBe(true);
  });

  it('waits until those who wait have their answer', async () => {
    const traffic = new Traffic();
    const patience = new Patience(traffic, () => 0);
    const one = answer();
    traffic.arrived(one);
    patience.worked(10_000);
    const calm = patience.calm();
    expect(await comesBefore(calm, someTime(300))).toBe(false);
    traffic.left(one);
    expect(await comesBefore(calm, someTime(60_000))).toBe(true);
  });

  it('does not wait for ever, and the shorter the less it did before', async () => {
    const traffic = new Traffic();
    traffic.arrived(answer());
    const patience = new Patience(traffic);
    expect(await comesBefore(patience.calm(), someTime(0))).toBe(true);
    patience.worked(1_000_000);
    expect(await comesBefore(patience.calm(), someTime(60_000))).toBe(true);
  });

  it('waits no more once it has ended', async () => {
    const traffic = new Traffic();
    traffic.arrived(answer());
    const patience = new Patience(traffic, () => 0);
    patience.worked(1_000_000);
    const calm = patience.calm();
    patience.end();
    expect(await comesBefore(calm, someTime(60_000))).toBe(true);
  });
});
