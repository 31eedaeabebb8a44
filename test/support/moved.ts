import type { Loci } from './loci.js';

/** Waits until a tenant has arrived in a placement. */
export async function settledIn(loci: Loci, slug: string, placement: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline;) {
    const { body } = await loci.operator.get(`/admin/tenants/${slug}/placement`);
    if (body['state'] === 'settled' && body['placement'] === placement) return;
    await new Promise((resume) => setTimeout(resume, 50));
  }
  throw new Error(`${slug} did not arrive in ${placement}`);
}
