import { DomainError } from '../platform/errors/domain-error.js';
import type { GraphEngine } from './graph-space.js';
import type { VectorEngine } from './vector-space.js';

/** Which engines hold a tenant's projections. */
export interface Placement {
  name: string;
  vectors: VectorEngine;
  graphs: GraphEngine;
  /** How many tenants' spaces it holds at once; the longest idle beyond it are cooled. Null: no limit. */
  maxHotSpaces: number | null;
}

/** An order names a placement that is not set up. */
export class PlacementUnknown extends DomainError<'placement.unknown'> {
  readonly code = 'placement.unknown';
  constructor(name: string, known: string[]) {
    super(`There is no placement \`${name}\`. There are: ${known.join(', ')}.`);
  }
}

/** The tenant's placement is set up, and other processes serve it. */
export class PlacementElsewhere extends DomainError<'placement.elsewhere'> {
  readonly code = 'placement.elsewhere';
  constructor(name: string) {
    super('This process does not serve the placement of this tenant.', { internal: `it is in ${name}` });
  }
}

/** The tenant's placement has left the configuration. What it stored is in the ledger; it has to be moved. */
export class PlacementMissing extends DomainError<'placement.missing'> {
  readonly code = 'placement.missing';
  constructor(name: string) {
    super('The placement of this tenant is not set up any more.', {
      internal: `it is in ${name}`,
      retryAfter: 30,
    });
  }
}

/**
 * The placements of this installation, by name. One of them, `shared`, is where tenants are put unless told otherwise.
 * A process may serve some of them only; of the others it knows no more than that there are.
 */
export class Placements {
  private readonly byName: ReadonlyMap<string, Placement>;

  constructor(
    served: Placement[],
    /** Names of those that other processes serve. */
    private readonly elsewhere: readonly string[] = [],
  ) {
    this.byName = new Map(served.map((placement) => [placement.name, placement]));
  }

  /** Those that this process serves. */
  get names(): string[] {
    return [...this.byName.keys()];
  }

  get all(): Placement[] {
    return [...this.byName.values()];
  }

  /** Whether this process serves it. */
  serves(name: string): boolean {
    return this.byName.has(name);
  }

  /** All that there are, here or elsewhere. */
  get known(): string[] {
    return [...this.names, ...this.elsewhere];
  }

  /** Whether there is such a placement at all, here or elsewhere. */
  knows(name: string): boolean {
    return this.byName.has(name) || this.elsewhere.includes(name);
  }

  /** What an order names, before it is carried out. Throws `PlacementUnknown`. */
  expect(name: string): void {
    if (!this.knows(name)) throw new PlacementUnknown(name, this.known);
  }

  /** Throws `PlacementElsewhere`, `PlacementMissing`. */
  of(name: string): Placement {
    const placement = this.byName.get(name);
    if (placement !== undefined) return placement;
    throw this.elsewhere.includes(name) ? new PlacementElsewhere(name) : new PlacementMissing(name);
  }
}
