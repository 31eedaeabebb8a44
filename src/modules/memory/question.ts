import type { Filter } from '../../spaces/vector-space.js';

/** What a recall asks for. */
export interface Question {
  /** One or more wordings; a memory counts by the one it fits best. None: the filter alone, newest first. */
  queries: string[];
  filter: Filter;
  limit: number;
  /** Below it nothing is returned. 0..1 */
  minScore: number;
  sort: 'score' | 'newest' | 'oldest';
}
