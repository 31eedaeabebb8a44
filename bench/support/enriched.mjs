import { setTimeout as after } from 'node:timers/promises';

/** Resolves once the background has read everything that this client's workspace holds, or at once where it is off. */
export async function enriched(client, { waitMs = 900_000 } = {}) {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const { body } = await client.get('/enrichment/status');
    if (body.state === 'off' || (body.state === 'idle' && body.pending === 0)) return body;
    if (performance.now() > deadline) throw new Error(`Not read in time: ${JSON.stringify(body)}`);
    await after(250);
  }
}
