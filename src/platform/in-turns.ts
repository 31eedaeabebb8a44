import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long one turn may keep the event loop. */
const TURN_MS = 8;

/** `Array.map` for work that adds up: it lets whatever else waits go on in between. */
export async function mapInTurns<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Result,
): Promise<Result[]> {
  const results: Result[] = [];
  let turnEnds = performance.now() + TURN_MS;
  for (const item of items) {
    results.push(work(item));
    if (performance.now() > turnEnds) {
      await nextTurn();
      turnEnds = performance.now() + TURN_MS;
    }
  }
  return results;
}
