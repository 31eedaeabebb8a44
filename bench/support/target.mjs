import { Client } from './client.mjs';
import { Refused } from './options.mjs';
import { LociProcess } from './server.mjs';

/**
 * The server to measure: the one that `--url` names, with its admin token in ADMIN_API_TOKEN, or one of our own.
 * `own` is null in the first case. Tenants that were made here are deleted by `close`.
 */
export async function openTarget({ url }, env = {}) {
  if (url !== undefined) {
    const token = process.env.ADMIN_API_TOKEN;
    if (!token)
      throw new Refused('With --url or LOCI_URL, ADMIN_API_TOKEN must hold that server’s admin token.');
    return new Target(url, token, null);
  }
  const own = await LociProcess.start(env, (process.env.BENCH_NODE_OPTIONS ?? '').split(' ').filter(Boolean));
  return new Target(own.url, own.adminToken, own);
}

class Target {
  #made = [];

  constructor(url, adminToken, own) {
    this.own = own;
    this.operator = new Client(url, adminToken);
  }

  /** A client with a new tenant's key; `ms` is what provisioning took. */
  async tenant(slug) {
    const { body, ms } = await this.operator.post('/admin/tenants', {
      tenant_id: slug,
      plan_tier: 'enterprise',
    });
    this.#made.push(slug);
    return { ms, slug, key: body.api_key.key, client: this.operator.as(body.api_key.key) };
  }

  /** After a restart the server may listen elsewhere. */
  reconnect(tenants) {
    const { url, adminToken } = this.own;
    this.operator.close();
    this.operator = new Client(url, adminToken);
    for (const tenant of tenants) tenant.client = this.operator.as(tenant.key);
  }

  async close() {
    if (this.own === null) {
      for (const slug of this.#made) await this.operator.delete(`/admin/tenants/${slug}?purge=true`);
    }
    this.operator.close();
    await this.own?.stop();
  }
}
