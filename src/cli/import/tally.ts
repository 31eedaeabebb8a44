import { KINDS, type Kind, type RefusedRecord } from './import-source.js';

export interface TalliedKind {
  kind: Kind;
  found: number;
  /** New in the tenant. */
  stored: number;
  /** Was there already, just so. */
  existed: number;
  refused: number;
  /** Of a kind that cannot be brought over yet. */
  left: number;
}

/** What became of each record. */
export class Tally {
  readonly refused: RefusedRecord[] = [];
  readonly rows: readonly TalliedKind[];
  private readonly kinds: Record<Kind, TalliedKind>;

  constructor(
    found: Record<Kind, number>,
    private readonly onRefused: (refused: RefusedRecord) => void,
  ) {
    const none = (kind: Kind): TalliedKind => ({
      kind,
      found: found[kind],
      stored: 0,
      existed: 0,
      refused: 0,
      left: kind === 'document' ? found[kind] : 0,
    });
    this.kinds = {
      agent: none('agent'),
      memory: none('memory'),
      relation: none('relation'),
      document: none('document'),
    };
    this.rows = KINDS.map((kind) => this.kinds[kind]);
  }

  of(kind: Kind): TalliedKind {
    return this.kinds[kind];
  }

  refuse(refused: RefusedRecord): void {
    this.refused.push(refused);
    if (refused.kind !== null) this.kinds[refused.kind].refused++;
    this.onRefused(refused);
  }

  get found(): number {
    return this.rows.reduce((sum, each) => sum + each.found, 0);
  }

  /** How many records something has become of. */
  get done(): number {
    return this.rows.reduce((sum, each) => sum + each.stored + each.existed + each.refused + each.left, 0);
  }

  /** As `--json` shows it. */
  get outcome(): object {
    const counts = ({ found, stored, existed, refused, left }: TalliedKind): object => ({
      found,
      stored,
      existed,
      refused,
      left,
    });
    return {
      agents: counts(this.kinds.agent),
      memories: counts(this.kinds.memory),
      relations: counts(this.kinds.relation),
      documents: counts(this.kinds.document),
      refused: this.refused,
    };
  }
}
