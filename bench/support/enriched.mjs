import { setTimeout as after } from 'node:timers/promises';

/** Resolves once the background has read everything that this client's workspace holds, or at once where it is off. */
export async function enriched(client, { waitMs = 900_000 } = {}) {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const { body } = await client.get('/enrichment/status');
    if (body.state === 'off' || (body.state === 'idle' && body.pending === 0)) return body;
    if (performance.now() > deadline) throw new Error(`Not read in time: ${JSON.stringify(body)}`);
    // Counting what is left of much is work as well, and whoever is asked never comes to rest.
    await after(body.pending > 1_000 ? 5_000 : 250);
  }
}
