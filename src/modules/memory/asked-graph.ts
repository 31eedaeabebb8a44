import type { GraphSpace } from '../../spaces/graph-space.js';
import { isOutage, SpaceWaking } from '../../spaces/space-errors.js';
import type { Space } from '../../spaces/space.js';

/**
 * What the graph has to say. Nearly always nothing is missing in it: so it is asked while that is looked up, and again where
 * something was. Degraded: it does not answer or is being built again, and nothing is found; or it is behind, and tells what
 * it has.
 */
export async function askGraph<Found>(
  space: Space,
  ask: (graph: GraphSpace) => Promise<Found[]>,
): Promise<{ found: Found[]; degraded: boolean }> {
  try {
    const [ready, found] = await Promise.all([space.ready('graph'), ask(space.graph)]);
    return { found: ready === 'caught up' ? await ask(space.graph) : found, degraded: ready === 'behind' };
  } catch (error) {
    if (!isOutage(error) && !(error instanceof SpaceWaking)) throw error;
    return { found: [], degraded: true };
  }
}
