import type { CatchUp, Committed } from './catch-up.js';
import type { GraphItem, GraphSpace } from './graph-space.js';
import type { Line } from './late-runs.js';
import { SpaceMoved, SpaceWaking } from './space-errors.js';
import type { LedgerHead, Watermark } from './projection.js';
import type { VectorItem, VectorSpace } from './vector-space.js';

/** A write answers after this long even where its projections are behind, and says so. */
export const INDEXING_WAIT_MS = 2_000;

/**
 * `current`: the projection had everything when it was asked. `caught up`: it has now; what was read from it meanwhile may
 * lack something. `behind`: it answers from what it has.
 */
export type Readiness = 'current' | 'caught up' | 'behind';

/** What one write has just committed, as both projections are to hold it. */
export interface CommittedItems {
  /** With the vectors of the model that answers. */
  vectors: Committed<VectorItem>;
  graph: Committed<GraphItem>;
}

/** A tenant's opened projections: the only way to reach its vectors and graph. */
export class Space {
  private met = false;

  constructor(
    private readonly name: string,
    readonly vectors: VectorSpace,
    readonly graph: GraphSpace,
    private readonly lines: {
      vectors: CatchUp<VectorItem>;
      graph: CatchUp<GraphItem>;
      /** The projection of the model that is to answer next, while it fills. */
      next: CatchUp<VectorItem> | null;
    },
    private readonly ledgerHead: () => Promise<LedgerHead>,
    private readonly report: (error: unknown) => void,
    private readonly later: (line: Line) => void,
  ) {}

  /** Every projection, up to everything that was committed before this call. */
  async catchUp(): Promise<void> {
    await Promise.all(this.all().map((line) => line.run()));
  }

  /**
   * Before this process writes for the tenant for the first time. A projection that is ahead of a ledger which was
   * restored is noticed only as long as the ledger's revision is the lower one: new writes would carry it past.
   */
  async meet(): Promise<void> {
    if (this.met) return;
    // A store that is waking, moving or away never keeps a write from the ledger.
    const seen = (part: 'vectors' | 'graph') => this.ready(part).catch(() => 'behind' as const);
    const [vectors, graph] = await Promise.all([seen('vectors'), seen('graph')]);
    this.met = vectors !== 'behind' && graph !== 'behind';
  }

  /**
   * True once the projections show everything committed before this call, or, where what a write committed is brought
   * along, that write; false where that takes too long or fails.
   */
  async indexed(committed: CommittedItems | null = null): Promise<boolean> {
    const { vectors, graph, next } = this.lines;
    const done = await Promise.all([
      this.soon(vectors, () => vectors.run(committed?.vectors)),
      this.soon(graph, () => graph.run(committed?.graph)),
      next === null || this.soon(next),
    ]);
    return done.every((isDone) => isDone);
  }

  /**
   * Catches up with whatever these projections lack, before they are read.
   * Asking costs one query, and a look at the store's own watermark. Throws `SpaceWaking` where the store has to be
   * built first and that takes too long, `SpaceMoved` where it is elsewhere by now.
   */
  async ready(part: 'vectors' | 'graph'): Promise<Readiness> {
    try {
      const [head, watermark] = await Promise.all([this.ledgerHead(), this[part].watermark()]);
      if (isAt(watermark, head)) return 'current';
      if (await this.soon(this.lines[part])) return 'caught up';
      // A store that is merely behind answers from what it has; one that is empty or another's has nothing to say.
      if (watermark.ledger !== head.ledger && head.revision > 0) throw new SpaceWaking(this.name);
      return 'behind';
    } catch (error) {
      if (error instanceof SpaceWaking || error instanceof SpaceMoved) throw error;
      this.report(error);
      // What it lacks nobody can tell just now.
      this.later(this.lines[part]);
      return 'behind';
    }
  }

  private all(): Line[] {
    const { vectors, graph, next } = this.lines;
    return next === null ? [vectors, graph] : [vectors, graph, next];
  }

  private async soon(line: Line, run = (): Promise<void> => line.run()): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), INDEXING_WAIT_MS);
    });
    const done = run().then(
      () => true,
      (error: unknown) => {
        this.report(error);
        this.later(line);
        return false;
      },
    );
    try {
      return await Promise.race([done, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function isAt(watermark: Watermark, head: LedgerHead): boolean {
  return watermark.ledger === head.ledger && watermark.revision === head.revision;
}
