import type { Watermark } from '../../../src/spaces/projection.js';
import { SpaceUnavailable } from '../../../src/spaces/space-errors.js';
import type { Thing, Turn } from './memory-ledger.js';

/**
 * What a store keeps on its disk, as all the states that it was in: it can be wiped, and lose its last changes, behind
 * everybody's back. Several processes may share it.
 */
export class MemoryStore<State> {
  private states: State[];

  constructor(private readonly empty: State) {
    this.states = [empty];
  }

  get state(): State {
    return this.states.at(-1) ?? this.empty;
  }

  change(change: Partial<State>): void {
    this.states.push({ ...this.state, ...change });
  }

  wipe(): void {
    this.states = [this.empty];
  }

  /** As in a power cut: the last so many changes were never on disk. */
  loseTail(changes: number): void {
    this.states.splice(Math.max(1, this.states.length - changes));
  }
}

/**
 * What becomes of a call to a store: `lost` on its way there; its `answer lost` on the way back, though it was done;
 * `late`, done after its caller gave up; `twice`, as a client does that asks again on another connection.
 */
export type Fate = 'done' | 'lost' | 'answer lost' | 'late' | 'twice';

/** One process's way to a store. The fates are those of its next calls; without one a call is simply done. */
export class Wire {
  private dead = false;

  constructor(
    private readonly turn: Turn = () => Promise.resolve(),
    readonly fates: Fate[] = [],
  ) {}

  async call<T>(step: () => T): Promise<T> {
    if (this.dead) return never();
    const fate = this.fates.shift() ?? 'done';
    await this.turn();
    if (fate === 'lost') throw new SpaceUnavailable('the request was lost');
    if (fate === 'late') {
      this.later(step);
      throw new SpaceUnavailable('no answer in time');
    }
    const result = step();
    if (fate === 'twice') this.later(step);
    await this.turn();
    if (this.dead) return never();
    if (fate === 'answer lost') throw new SpaceUnavailable('the answer was lost');
    return result;
  }

  /** As kill -9 does: what it has sent arrives, and what it would have done next is never done. */
  kill(): void {
    this.dead = true;
  }

  /** Nobody waits for the answer. */
  private later(step: () => unknown): void {
    this.turn()
      .then(step)
      .catch(() => undefined);
  }
}

function never(): Promise<never> {
  return new Promise<never>(() => undefined);
}

/** What a projection in memory shows of itself, whatever its store. */
export interface Shown {
  /** Tombstones left out, in the order of ids. */
  held: Thing[];
  at: Watermark;
}
