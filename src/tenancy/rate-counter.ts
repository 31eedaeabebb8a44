/** What one window has given away, and to whom this much. */
export interface Drawn {
  /** How many of the wanted were still there: 0 where the window is used up. */
  granted: number;
  /** By everybody together, with these. */
  total: number;
  /** Until the window ends. */
  msLeft: number;
}

/** Counts that all replicas share. A window begins with the first that draws from it. */
export abstract class RateCounter {
  /** Takes up to `wanted` of what is left of `limit` in the window of this name. Rejects at once or soon where it is away. */
  abstract draw(window: string, wanted: number, limit: number, windowMs: number): Promise<Drawn>;
  abstract close(): Promise<void>;
}
