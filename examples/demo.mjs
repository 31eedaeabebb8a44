/**
 * npm run demo [-- [--file <conversations in LoCoMo's format>] [--questions <n>] [--keep]]
 *
 * Two tenants, a conversation each, questions, and the wall between them. Against the server of LOCI_URL and
 * ADMIN_API_TOKEN, whose tenants it purges in the end unless told to --keep them, or against one of its own,
 * started for the occasion.
 */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Client } from './demo/client.mjs';
import { readConversations } from './demo/conversation.mjs';
import { askQuestions } from './demo/questions.mjs';
import { bold, dim, heading, progress, red, say, verdict } from './demo/screen.mjs';
import { findOrStartServer } from './demo/server.mjs';
import { knockOnTheWall } from './demo/wall.mjs';

const BATCH = 20;

const options = readOptions();

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        file: { type: 'string' },
        questions: { type: 'string', default: '60' },
        keep: { type: 'boolean', default: false },
      },
    });
    const questions = Number(values.questions);
    if (!Number.isInteger(questions) || questions < 1) throw new Error('--questions takes a whole number');
    return { ...values, questions };
  } catch (error) {
    say(red(error.message));
    process.exit(2);
  }
}

/** Provisioned, loaded with a conversation: what the rest of the demo works with. */
async function loadTenant(server, operator, suffix, conversation, signal) {
  const slug = `demo-${conversation.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}-${suffix}`;
  const made = await operator.post('/admin/tenants', { tenant_id: slug, name: conversation.speakers });
  tenants.push(slug);
  const client = new Client(server.url, made.api_key.key, signal);
  const { memories } = conversation;
  const told = progress(bold(slug.padEnd(26)), memories.length);
  const turnOf = new Map();
  const began = performance.now();
  for (let at = 0; at < memories.length; at += BATCH) {
    const batch = memories.slice(at, at + BATCH);
    told(at);
    const { memory_ids: ids } = await client.post('/memory/batch', { memories: batch });
    ids.forEach((id, i) => turnOf.set(id, batch[i].metadata.turn));
  }
  const seconds = (performance.now() - began) / 1000;
  told(memories.length, `memories in ${seconds.toFixed(1)} s, embedded, committed and searchable`);
  return { slug, client, conversation, turnOf };
}

async function showStats(operator, loaded) {
  heading('What the operator sees of them: counts, never content');
  const columns = ['memory_count', 'vector_points', 'graph_nodes', 'storage_mb', 'revision', 'state'];
  say(dim(`  ${''.padEnd(26)}${columns.map((name) => name.padStart(15)).join('')}`));
  for (const { slug } of loaded) {
    const stats = await operator.get(`/admin/tenants/${slug}/stats`);
    say(`  ${slug.padEnd(26)}${columns.map((name) => String(stats[name]).padStart(15)).join('')}`);
  }
  const [{ client }] = loaded;
  const { status, body } = await new Client(client.url, operator.token).ask('GET', '/recall?query=key');
  const held = status === 403;
  verdict(held, `the admin token reads no tenant's memories: ${status} ${body.code}`);
  return held;
}

/** Purges what the demo made, and shows the receipt. */
async function cleanUp(url, adminToken) {
  if (tenants.length === 0) return;
  heading(options.keep ? 'Kept, as you asked' : 'Cleaning up');
  const operator = new Client(url, adminToken);
  for (const slug of tenants) {
    if (options.keep) {
      say(
        `  Remove it with: curl -X DELETE -H "Authorization: Bearer $ADMIN_API_TOKEN" "${url}/admin/tenants/${slug}?purge=true"`,
      );
      continue;
    }
    const { verified, stores } = await operator.delete(`/admin/tenants/${slug}?purge=true`);
    const rows = Object.values(stores.ledger).reduce((sum, { removed }) => sum + removed, 0);
    verdict(
      verified,
      `${slug} purged: ${rows} rows, ${stores.vectors.removed} vector points, ${stores.graph.removed} graph items; nothing left`,
    );
  }
}

/** Slugs that exist because of us. */
const tenants = [];
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => interrupted.abort());

async function run() {
  const { signal } = interrupted;
  const { from, conversations } = readConversations(options.file);
  if (process.env.LOCI_URL === undefined) say(dim('Starting a server of its own, in a temporary folder …'));
  const began = performance.now();
  const server = await findOrStartServer();
  try {
    const started = server.own ? `, started in ${((performance.now() - began) / 1000).toFixed(1)} s` : '';
    say(`${bold('Loci')} at ${server.url}${started}`);
    const operator = new Client(server.url, server.adminToken, signal);
    heading(`Two tenants remember ${from}`);
    const suffix = randomBytes(2).toString('hex');
    const loaded = [];
    for (const conversation of conversations) {
      loaded.push(await loadTenant(server, operator, suffix, conversation, signal));
    }
    for (const tenant of loaded) await askQuestions(tenant, options.questions);
    const [one, other] = loaded;
    const held = await knockOnTheWall(one, other);
    const unread = await showStats(operator, loaded);
    if (!held || !unread) process.exitCode = 1;
  } finally {
    // A server of our own goes with all that it holds.
    if (!server.own) await cleanUp(server.url, server.adminToken);
    await server.stop();
    if (server.own) say(dim('\nIts own server is stopped and its folder removed.'));
  }
}

try {
  await run();
} catch (error) {
  if (interrupted.signal.aborted) {
    say('\nInterrupted.');
    process.exitCode = 130;
  } else {
    const unreachable = error.cause !== undefined && error.message === 'fetch failed';
    say(
      red(
        unreachable ? `Nothing answers at ${process.env.LOCI_URL}: ${error.cause.message}.` : error.message,
      ),
    );
    process.exitCode = 1;
  }
}
