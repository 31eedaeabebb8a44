import { randomBytes, randomUUID } from 'node:crypto';
import { writeCursor } from '../../src/platform/http/cursor.js';
import type { Caller, Loci, TestTenant } from '../support/loci.js';
import { asSuperuser } from '../support/superuser.js';
import type { Names } from './route-table.js';

/** In every content that strangers store: it must be in no answer to anybody else. */
export const MARK = 'strangers-secret';
const MEMORIES = 400;
/** What a batch may hold, of memories and of associations. */
const BATCH = 500;
const KEYS = 8;
const AGENTS = 20;
/** Of their oldest memory. */
export const TIME = new Date('2026-01-01T00:00:00Z');
/** An embedding that costs nothing to make. */
const EMBEDDING = Array.from({ length: 384 }, (_, i) => (i === 0 ? 1 : 0.01));

/** A workspace full of things that the caller under test must not see. */
export interface StrangersWorkspace {
  tenant: { id: string; slug: string };
  workspace: { id: string; slug: string };
  memories: string[];
  /** Ids of API keys. */
  keys: string[];
  agents: { id: string; slug: string }[];
  words: string[];
  /** None where they are the caller's own tenant's. */
  members: string[];
  triggers: string[];
}

/** A second workspace of this tenant. */
export async function addWorkspace(loci: Loci, tenant: TestTenant): Promise<{ id: string; slug: string }> {
  const workspace = { id: randomUUID(), slug: `ws-${randomBytes(4).toString('hex')}` };
  await loci.server.stores.database.asSystem((manager) =>
    manager.query(`INSERT INTO workspaces (tenant_id, id, slug, name) VALUES ($1, $2, $3, 'Sibling')`, [
      tenant.id,
      workspace.id,
      workspace.slug,
    ]),
  );
  return workspace;
}

/** A key of one workspace that may do everything but manage. */
export async function workspaceKey(loci: Loci, tenant: TestTenant, workspace: string): Promise<Caller> {
  const { status, body } = await loci.operator.post<{ key: string }>(`/admin/tenants/${tenant.slug}/keys`, {
    workspace_id: workspace,
  });
  if (status !== 201) throw new Error(`No key for the workspace: ${status}`);
  return loci.as(body.key);
}

/** Fills a workspace: memories with words of their own, relations among them, a session, an edit. */
export async function furnish(
  owner: Caller,
  tenant: { id: string; slug: string },
  workspace: { id: string; slug: string },
  { memories: memoryCount = MEMORIES, members: memberCount = 0 } = {},
): Promise<StrangersWorkspace> {
  const words = Array.from({ length: memoryCount }, () => `w-${randomBytes(6).toString('hex')}`);
  const memories = words.map((word, i) => ({
    content: `${MARK} ${word}`,
    id: randomUUID(),
    type: `T${word.replace('-', '')}`,
    tags: [word],
    session_id: word,
    user_id: word,
    agent_id: word,
    timestamp: new Date(TIME.getTime() + i * 1_000).toISOString(),
    embedding: EMBEDDING,
  }));
  const at = { 'X-Workspace-ID': workspace.id };
  const ids: string[] = [];
  for (let from = 0; from < memories.length; from += BATCH) {
    const batch = { memories: memories.slice(from, from + BATCH) };
    const stored = await owner.post<{ memory_ids: string[] }>('/memory/batch', batch, at);
    if (stored.status !== 201) throw new Error(`Nothing was stored: ${stored.status}`);
    ids.push(...stored.body.memory_ids);
  }
  const associations = ids
    .slice(1, BATCH)
    .map((id, i) => ({ memory1_id: ids[i], memory2_id: id, type: 'RELATES_TO' }));
  const related = await owner.post('/associate', { associations }, at);
  if (related.status !== 201) throw new Error(`Nothing was related: ${related.status}`);
  const keys: string[] = [];
  while (keys.length < KEYS) {
    const made = await owner.post<{ id: string }>(`/v1/workspaces/${workspace.id}/api-keys`, {});
    if (made.status !== 201) throw new Error(`No key was made: ${made.status}`);
    keys.push(made.body.id);
  }
  const members = await Promise.all(
    words.slice(0, memberCount).map((word) => memberOf(owner, `${word}@strangers.example`)),
  );
  const triggers = await Promise.all(words.slice(0, memberCount).map((word) => triggerOf(owner, word)));
  const agents: StrangersWorkspace['agents'] = [];
  while (agents.length < AGENTS) agents.push(await agentOf(owner, workspace.id));
  return { tenant, workspace, memories: ids, keys, agents, words, members, triggers };
}

async function agentOf(owner: Caller, workspace: string): Promise<{ id: string; slug: string }> {
  const slug = `w-${randomBytes(6).toString('hex')}`;
  const { status, body } = await owner.post<{ id: string }>(`/v1/workspaces/${workspace}/agents`, {
    name: slug,
    slug,
  });
  if (status !== 201) throw new Error(`No agent could be made: ${status}`);
  return { id: body.id, slug };
}

async function triggerOf(owner: Caller, word: string): Promise<string> {
  const when = { event: 'memory.created', tags: [word] };
  const order = { name: MARK, when, then: [{ tag: [word] }], is_active: false };
  const { status, body } = await owner.post<{ id: string }>('/v1/tenants/current/triggers', order);
  if (status !== 201) throw new Error(`No trigger could be made: ${status}`);
  return body.id;
}

/** A member with the role of which there is most to lose. */
async function memberOf(owner: Caller, email: string): Promise<string> {
  const order = { email, name: MARK, role: 'tenant_admin' };
  const { status, body } = await owner.post<{ id: string }>('/v1/tenants/current/members', order);
  if (status !== 201) throw new Error(`No member could be made: ${status}`);
  return body.id;
}

/** Each call of `memory()` and `word()` gives another of the strangers' names. */
export function namesOf(strangers: StrangersWorkspace): Names {
  const used = new Map<readonly unknown[], number>();
  const next = <T>(all: readonly T[]): T => {
    const turn = used.get(all) ?? 0;
    const name = all[turn];
    if (name === undefined) throw new Error('The strangers have too few memories, words, keys or agents');
    used.set(all, turn + 1);
    return name;
  };
  return {
    memory: () => next(strangers.memories),
    word: () => next(strangers.words),
    cursor: () => writeCursor({ time: TIME, id: next(strangers.memories) }),
    key: () => next(strangers.keys),
    member: () => (strangers.members.length === 0 ? randomUUID() : next(strangers.members)),
    trigger: () => (strangers.triggers.length === 0 ? randomUUID() : next(strangers.triggers)),
    agent: () => next(strangers.agents),
    workspace: strangers.workspace,
    tenant: strangers.tenant,
  };
}

/** Names of the same shape that never existed. */
export function namesOfNobody(): Names {
  return {
    memory: () => randomUUID(),
    word: () => `w-${randomBytes(6).toString('hex')}`,
    cursor: () => writeCursor({ time: TIME, id: randomUUID() }),
    key: () => randomUUID(),
    member: () => randomUUID(),
    trigger: () => randomUUID(),
    agent: () => ({ id: randomUUID(), slug: `w-${randomBytes(6).toString('hex')}` }),
    workspace: { id: randomUUID(), slug: `ws-${randomBytes(4).toString('hex')}` },
    tenant: { id: randomUUID(), slug: `t9-${randomBytes(3).toString('hex')}` },
  };
}

/** All that the ledger holds of a workspace, read by a role that no policy binds, and the tenant's revision. */
export async function ledgerOf(
  loci: Loci,
  { tenant, workspace, members: strangersMembers }: StrangersWorkspace,
): Promise<string[]> {
  const tables = [
    'memories',
    'memory_history',
    'relations',
    'embeddings',
    'pending_vectors',
    'changes',
    'api_keys',
    'agents',
  ];
  return asSuperuser(loci, async (client) => {
    const rows: string[] = [];
    for (const table of tables) {
      const read = await client.query<{ row: string }>(
        `SELECT '${table}' || t::text AS row FROM ${table} t WHERE tenant_id = $1 AND workspace_id = $2 ORDER BY 1`,
        [tenant.id, workspace.id],
      );
      rows.push(...read.rows.map(({ row }) => row));
    }
    const members = await client.query<{ row: string }>(
      `SELECT 'member' || m::text AS row FROM members m WHERE tenant_id = $1 AND id = ANY($2) ORDER BY 1`,
      [tenant.id, strangersMembers],
    );
    return [...rows, ...members.rows.map(({ row }) => row)];
  });
}
