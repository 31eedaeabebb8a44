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

/** A tenant's row names a placement that this process was not told of. */
export class PlacementUnknown extends DomainError<'placement.unknown'> {
  readonly code = 'placement.unknown';
  constructor(name: string, known: string[]) {
    super(`There is no placement \`${name}\`. There are: ${known.join(', ')}.`);
  }
}

/** All placements of this installation, by name. One of them, `shared`, is where tenants are put unless told otherwise. */
export class Placements {
  private readonly byName: ReadonlyMap<string, Placement>;

  constructor(placements: Placement[]) {
    this.byName = new Map(placements.map((placement) => [placement.name, placement]));
  }

  get names(): string[] {
    return [...this.byName.keys()];
  }

  get all(): Placement[] {
    return [...this.byName.values()];
  }

  has(name: string): boolean {
    return this.byName.has(name);
  }

  /** Throws `PlacementUnknown`. */
  of(name: string): Placement {
    const placement = this.byName.get(name);
    if (placement === undefined) throw new PlacementUnknown(name, this.names);
    return placement;
  }
}
