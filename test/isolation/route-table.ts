import { randomBytes, randomUUID } from 'node:crypto';

/** One request to a route. */
export interface Probe {
  method: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Names of things, each of which may be another's or may never have existed. Used once each. */
export interface Names {
  memory(): string;
  /** A session, a user, an agent or a tag: free words. */
  word(): string;
  cursor(): string;
  /** The id of an API key. */
  key(): string;
  member(): string;
  trigger(): string;
  agent(): { id: string; slug: string };
  workspace: { id: string; slug: string };
  tenant: { id: string; slug: string };
}

/** What the caller itself has. */
export interface Own {
  memories: [string, string];
  workspace: string;
  /** A tenant_viewer, in whose place nobody else is. */
  member: string;
  /** A content that it has not stored so far. */
  content(): string;
}

export interface RouteEntry {
  /** A request that is good, of the caller's own things alone. */
  plain(own: Own): Probe;
  /** The same with a foreign name in one place: by the place's name. */
  places: Record<string, (own: Own, foreign: Names) => Probe>;
}

/** The words that name a workspace beside a route's own fields. */
const WORKSPACE_FIELDS = ['workspace_id', 'project'] as const;

/** A route of a tenant's own, with every place of it that takes an id or a word. */
function route(
  method: string,
  path: (own: Own) => string,
  fields: (own: Own) => Record<string, unknown>,
  places: Record<string, (own: Own, foreign: Names) => { path?: string; fields?: Record<string, unknown> }>,
): RouteEntry {
  const inBody = method === 'POST' || method === 'PATCH' || method === 'PUT';
  const probe = (
    own: Own,
    changed: { path?: string; fields?: Record<string, unknown>; headers?: Record<string, string> } = {},
  ): Probe => {
    const all = { ...fields(own), ...changed.fields };
    const at = changed.path ?? path(own);
    const headers = changed.headers === undefined ? {} : { headers: changed.headers };
    return inBody
      ? { method, path: at, body: all, ...headers }
      : { method, path: `${at}${queryOf(all)}`, ...headers };
  };
  const entry: RouteEntry = { plain: (own) => probe(own), places: {} };
  for (const [name, change] of Object.entries(places)) {
    entry.places[name] = (own, foreign) => probe(own, change(own, foreign));
  }
  for (const kind of ['id', 'slug'] as const) {
    for (const field of WORKSPACE_FIELDS) {
      entry.places[`${field} (${kind})`] = (own, { workspace }) =>
        probe(own, { fields: { [field]: workspace[kind] } });
      // A query is read beside a body, too.
      if (!inBody) continue;
      entry.places[`${field} beside a body (${kind})`] = (own, { workspace }) =>
        probe(own, { path: `${path(own)}${queryOf({ [field]: workspace[kind] })}` });
    }
    entry.places[`X-Workspace-ID (${kind})`] = (own, { workspace }) =>
      probe(own, { headers: { 'X-Workspace-ID': workspace[kind] } });
    entry.places[`X-Tenant-ID (${kind})`] = (own, { tenant }) =>
      probe(own, { headers: { 'X-Tenant-ID': tenant[kind] } });
  }
  return entry;
}

function queryOf(fields: Record<string, unknown>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    for (const one of [value].flat()) query.append(name, String(one));
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

const OF_MEMORY = ['session_id', 'user_id', 'agent_id'] as const;

type Places = Record<
  string,
  (own: Own, foreign: Names) => { path?: string; fields?: Record<string, unknown> }
>;

/** Every field of `names` with a foreign word in it. */
function words(...names: string[]): Places {
  return Object.fromEntries(
    names.map((name) => [name, (_own: Own, foreign: Names) => ({ fields: { [name]: foreign.word() } })]),
  );
}

/** Likewise for fields that take a list. */
function wordLists(...names: string[]): Places {
  return Object.fromEntries(
    names.map((name) => [name, (_own: Own, foreign: Names) => ({ fields: { [name]: [foreign.word()] } })]),
  );
}

const TRIGGERS = '/v1/tenants/current/triggers';
const QUIET_TRIGGER = {
  name: 'Quiet',
  when: { event: 'memory.created' },
  then: [{ tag: ['quiet'] }],
  is_active: false,
};

function triggerInPath(tail: string): Places {
  return { id: (_own, foreign) => ({ path: `${TRIGGERS}/${foreign.trigger()}${tail}` }) };
}

/** A route under `/v1/workspaces/:workspace`. `tail`: what follows the workspace. */
function ofWorkspace(
  method: string,
  tail: (own: Own) => string,
  fields: (own: Own) => Record<string, unknown>,
  places: Places,
): RouteEntry {
  const path = (name: string, own: Own): string => `/v1/workspaces/${name}${tail(own)}`;
  return route(method, (own) => path('default', own), fields, {
    'workspace of the path (id)': (own, { workspace }) => ({ path: path(workspace.id, own) }),
    'workspace of the path (slug)': (own, { workspace }) => ({ path: path(workspace.slug, own) }),
    ...places,
  });
}

/** A route of one agent; the caller's own default one unless a place says otherwise. */
function ofAgent(method: string, fields: () => Record<string, unknown>): RouteEntry {
  const named =
    (kind: 'id' | 'slug') =>
    (_own: Own, foreign: Names): { path: string } => ({
      path: `/v1/workspaces/default/agents/${foreign.agent()[kind]}`,
    });
  return ofWorkspace(method, () => '/agents/default', fields, {
    'agent of the path (id)': named('id'),
    'agent of the path (slug)': named('slug'),
  });
}

const FOREIGN_ORGANIZATION = 'never-theirs';

/**
 * A route of one organization. The plain one names none of the caller's, so that a test of all routes leaves the caller
 * as it was: what the routes do for their own is held elsewhere.
 */
function ofOrganization(
  method: string,
  tail: string,
  fields: () => Record<string, unknown> = () => ({}),
): RouteEntry {
  const at = (name: string): { path: string } => ({ path: `/v1/organizations/${name}${tail}` });
  return route(method, () => at(FOREIGN_ORGANIZATION).path, fields, {
    'tenant of the path (id)': (_own, { tenant }) => at(tenant.id),
    'tenant of the path (slug)': (_own, { tenant }) => at(tenant.slug),
  });
}

/** A route of the caller's own tenant. */
function ofCurrentTenant(
  method: string,
  tail: string,
  fields: () => Record<string, unknown> = () => ({}),
): RouteEntry {
  return route(method, () => `/v1/tenants/current${tail}`, fields, {});
}

/** Of the shape of the strangers' own, so that answers can be compared. */
const ownSlug = (): string => `ws-${randomBytes(4).toString('hex')}`;

const one = (own: Own): string => own.memories[0];
const inPath = (path: (id: string) => string): Places => ({
  'id in the path': (_own, foreign) => ({ path: path(foreign.memory()) }),
});

/** Edits by themselves, so that no edit of the caller's own memory is left to compare with. */
const edit = (method: string): RouteEntry =>
  route(
    method,
    (own) => `/memory/${one(own)}`,
    () => ({ importance: 0.7 }),
    {
      ...inPath((id) => `/memory/${id}`),
      ...words(...OF_MEMORY),
      ...wordLists('tags'),
    },
  );

const RECALL_WORDS = [...OF_MEMORY, 'context', 'active_path'];
const RECALL_LISTS = ['tags', 'exclude_tags', 'context_tags', 'priority_ids', 'types'];

/** Recall in both of its forms. */
const recall = (method: string): RouteEntry =>
  route(
    method,
    () => '/recall',
    () => ({ query: 'what is kept here' }),
    {
      ...words(...RECALL_WORDS),
      ...wordLists(...RECALL_LISTS),
      'priority_ids (a memory)': (_own, foreign) => ({ fields: { priority_ids: [foreign.memory()] } }),
      'expand_relations, of a session': (_own, foreign) => ({
        fields: { expand_relations: true, session_id: foreign.word() },
      }),
      'expand_entities, of a session': (_own, foreign) => ({
        fields: { expand_entities: true, session_id: foreign.word() },
      }),
    },
  );

const MEMBERS = '/v1/tenants/current/members';
const memberInPath: Places = {
  'id in the path': (_own, foreign) => ({ path: `${MEMBERS}/${foreign.member()}` }),
};

const association = (from: string, to: string): Record<string, unknown> => ({
  memory1_id: from,
  memory2_id: to,
  type: 'RELATES_TO',
});

/** A route for the keys of a workspace: it is named in the path alone. */
function keyRoute(method: string, after: string, body?: object, more: RouteEntry['places'] = {}): RouteEntry {
  const at = (workspace: string, headers?: Record<string, string>): Probe => ({
    method,
    path: `/v1/workspaces/${workspace}/api-keys${after}`,
    ...(body === undefined ? {} : { body }),
    ...(headers === undefined ? {} : { headers }),
  });
  const claiming = (kind: 'id' | 'slug') => (own: Own, foreign: Names) =>
    at(own.workspace, { 'X-Tenant-ID': foreign.tenant[kind] });
  return {
    plain: (own) => at(own.workspace),
    places: {
      'workspace of the path (id)': (_own, foreign) => at(foreign.workspace.id),
      'workspace of the path (slug)': (_own, foreign) => at(foreign.workspace.slug),
      'X-Tenant-ID (id)': claiming('id'),
      'X-Tenant-ID (slug)': claiming('slug'),
      ...more,
    },
  };
}

const NO_KEY = '00000000-0000-4000-8000-000000000000';

/** A tenant manages with these what its operator may manage too: they hold no content. */
export const SHARED_ROUTES: readonly string[] = [
  'POST /v1/workspaces',
  'GET /v1/workspaces',
  'GET /v1/workspaces/:workspace',
  'PATCH /v1/workspaces/:workspace',
  'DELETE /v1/workspaces/:workspace',
  'GET /v1/organizations/:org',
  'PATCH /v1/organizations/:org',
  'DELETE /v1/organizations/:org',
  'GET /v1/organizations/:org/workspaces',
  'POST /v1/organizations/:org/workspaces',
  'GET /v1/agents',
  'GET /v1/agent-templates',
  'POST /v1/workspaces/:workspace/agents',
  'POST /v1/workspaces/:workspace/agents/from-template',
  'GET /v1/workspaces/:workspace/agents',
  'GET /v1/workspaces/:workspace/agents/:agent',
  'PATCH /v1/workspaces/:workspace/agents/:agent',
  'DELETE /v1/workspaces/:workspace/agents/:agent',
  'POST /v1/workspaces/:workspace/api-keys',
  'GET /v1/workspaces/:workspace/api-keys',
  'DELETE /v1/workspaces/:workspace/api-keys/:id',
  'POST /v1/workspaces/:workspace/api-keys/:id/rotate',
];

/**
 * Every route that a tenant's key may call, under its path at the root (`/v1` in front of it is another live route
 * with the same entry), with every place that takes a name.
 */
export const TENANT_ROUTES: Record<string, RouteEntry> = {
  'GET /v1/tenants/current': {
    plain: () => ({ method: 'GET', path: '/v1/tenants/current' }),
    places: {
      'X-Tenant-ID (id)': (_own, { tenant }) => ({
        method: 'GET',
        path: '/v1/tenants/current',
        headers: { 'X-Tenant-ID': tenant.id },
      }),
      'X-Tenant-ID (slug)': (_own, { tenant }) => ({
        method: 'GET',
        path: '/v1/tenants/current',
        headers: { 'X-Tenant-ID': tenant.slug },
      }),
      'X-Workspace-ID': (_own, { workspace }) => ({
        method: 'GET',
        path: '/v1/tenants/current',
        headers: { 'X-Workspace-ID': workspace.id },
      }),
    },
  },
  'GET /v1/tenants/current/audit': route(
    'GET',
    () => '/v1/tenants/current/audit',
    // Refused attempts are put on record when their reply is out: between two of these there may be one more.
    () => ({ limit: 5, outcome: 'done' }),
    words('actor', 'target'),
  ),
  'GET /v1/tenants/current/llm-profile': route(
    'GET',
    () => '/v1/tenants/current/llm-profile',
    () => ({}),
    {},
  ),
  'PUT /v1/tenants/current/llm-profile': route(
    'PUT',
    () => '/v1/tenants/current/llm-profile',
    () => ({ default_model: 'own' }),
    {},
  ),
  'GET /v1/tenants/current/cost-budget': route(
    'GET',
    () => '/v1/tenants/current/cost-budget',
    () => ({}),
    {},
  ),
  'PUT /v1/tenants/current/cost-budget': route(
    'PUT',
    () => '/v1/tenants/current/cost-budget',
    () => ({ monthly_limit_usd: 10 }),
    {},
  ),
  'GET /v1/tenants/current/retention-policies': route(
    'GET',
    () => '/v1/tenants/current/retention-policies',
    () => ({}),
    {},
  ),
  'PUT /v1/tenants/current/retention-policies': route(
    'PUT',
    () => '/v1/tenants/current/retention-policies',
    () => ({ audit_days: 365 }),
    {},
  ),
  'POST /v1/tenants/current/retention-policies/run': route(
    'POST',
    () => '/v1/tenants/current/retention-policies/run',
    () => ({ dry_run: true }),
    {},
  ),
  'GET /v1/organizations/:org': ofOrganization('GET', ''),
  'PATCH /v1/organizations/:org': ofOrganization('PATCH', '', () => ({ contact_name: 'Somebody' })),
  'DELETE /v1/organizations/:org': ofOrganization('DELETE', ''),
  'GET /v1/organizations/:org/workspaces': ofOrganization('GET', '/workspaces'),
  'POST /v1/organizations/:org/workspaces': ofOrganization('POST', '/workspaces', () => ({
    name: 'Own',
    slug: ownSlug(),
  })),
  'PATCH /v1/tenants/current': ofCurrentTenant('PATCH', '', () => ({ contact_name: 'Somebody' })),
  'PUT /v1/tenants/current': ofCurrentTenant('PUT', '', () => ({ contact_name: 'Somebody' })),
  'GET /v1/tenants/current/features': ofCurrentTenant('GET', '/features'),
  'GET /v1/tenants/current/stats': ofCurrentTenant('GET', '/stats'),
  'GET /v1/tenants/current/usage': ofCurrentTenant('GET', '/usage'),
  'POST /v1/workspaces': route(
    'POST',
    () => '/v1/workspaces',
    () => ({ name: 'Own', slug: ownSlug() }),
    { slug: (_own, foreign) => ({ fields: { slug: foreign.word() } }) },
  ),
  'GET /v1/workspaces': route(
    'GET',
    () => '/v1/workspaces',
    () => ({ limit: 5 }),
    { cursor: (_own, foreign) => ({ fields: { cursor: foreign.cursor() } }) },
  ),
  'GET /v1/workspaces/:workspace': ofWorkspace(
    'GET',
    () => '',
    () => ({}),
    {},
  ),
  'PATCH /v1/workspaces/:workspace': ofWorkspace(
    'PATCH',
    () => '',
    () => ({ name: 'Renamed' }),
    {},
  ),
  'DELETE /v1/workspaces/:workspace': ofWorkspace(
    'DELETE',
    () => '',
    () => ({}),
    {},
  ),
  'GET /v1/agents': route(
    'GET',
    () => '/v1/agents',
    () => ({ limit: 5 }),
    {
      cursor: (_own, foreign) => ({ fields: { cursor: foreign.cursor() } }),
      agent_type: (_own, foreign) => ({ fields: { agent_type: foreign.word().replace('-', '') } }),
    },
  ),
  'GET /v1/agent-templates': route(
    'GET',
    () => '/v1/agent-templates',
    () => ({}),
    {},
  ),
  'POST /v1/workspaces/:workspace/agents': ofWorkspace(
    'POST',
    () => '/agents',
    () => ({ name: 'Own', slug: ownSlug() }),
    {
      slug: (_own, foreign) => ({ fields: { slug: foreign.agent().slug } }),
      owner_id: (_own, foreign) => ({ fields: { owner_id: foreign.word() } }),
    },
  ),
  'POST /v1/workspaces/:workspace/agents/from-template': ofWorkspace(
    'POST',
    () => '/agents/from-template',
    () => ({ template: 'support', slug: ownSlug() }),
    { slug: (_own, foreign) => ({ fields: { slug: foreign.agent().slug } }) },
  ),
  'GET /v1/workspaces/:workspace/agents': ofWorkspace(
    'GET',
    () => '/agents',
    () => ({ limit: 5 }),
    { cursor: (_own, foreign) => ({ fields: { cursor: foreign.cursor() } }) },
  ),
  'GET /v1/workspaces/:workspace/agents/:agent': ofAgent('GET', () => ({})),
  'PATCH /v1/workspaces/:workspace/agents/:agent': ofAgent('PATCH', () => ({ name: 'Renamed' })),
  'DELETE /v1/workspaces/:workspace/agents/:agent': ofAgent('DELETE', () => ({})),
  'POST /memory': route(
    'POST',
    () => '/memory',
    (own) => ({ content: own.content() }),
    {
      id: (_own, foreign) => ({ fields: { id: foreign.memory() } }),
      ...words(...OF_MEMORY),
      ...wordLists('tags'),
    },
  ),
  'POST /memory/batch': route(
    'POST',
    () => '/memory/batch',
    (own) => ({ memories: [{ content: own.content() }] }),
    {
      'id of an item': (own, foreign) => ({
        fields: { memories: [{ content: own.content() }, { content: own.content(), id: foreign.memory() }] },
      }),
      'id of an item beside a bad one': (own, foreign) => ({
        fields: { memories: [{ content: own.content(), id: foreign.memory() }, { content: '' }] },
      }),
      'session of an item': (own, foreign) => ({
        fields: { memories: [{ content: own.content(), session_id: foreign.word() }] },
      }),
      'workspace of an item (id)': (own, { workspace }) => ({
        fields: {
          memories: [{ content: own.content() }, { content: own.content(), workspace_id: workspace.id }],
        },
      }),
      'workspace of an item (slug)': (own, { workspace }) => ({
        fields: { memories: [{ content: own.content(), project: workspace.slug }] },
      }),
    },
  ),
  'GET /memory/by-tag': route(
    'GET',
    () => '/memory/by-tag',
    () => ({ tags: ['own'] }),
    {
      ...wordLists('tags'),
      'one of the tags': (_own, foreign) => ({ fields: { tags: ['own', foreign.word()] } }),
      cursor: (_own, foreign) => ({ fields: { cursor: foreign.cursor() } }),
    },
  ),
  'DELETE /memory/by-tag': route(
    'DELETE',
    () => '/memory/by-tag',
    () => ({ tags: ['of-nothing'] }),
    {
      ...wordLists('tags'),
    },
  ),
  'GET /stream': route(
    'GET',
    () => '/stream',
    () => ({ follow: false }),
    words('last_event_id'),
  ),
  'GET /memory/:id': route(
    'GET',
    (own) => `/memory/${one(own)}`,
    () => ({}),
    inPath((id) => `/memory/${id}`),
  ),
  'GET /memory/:id/history': route(
    'GET',
    (own) => `/memory/${one(own)}/history`,
    () => ({}),
    inPath((id) => `/memory/${id}/history`),
  ),
  'PATCH /memory/:id': edit('PATCH'),
  'PUT /memory/:id': edit('PUT'),
  'DELETE /memory/:id': route(
    'DELETE',
    (own) => `/memory/${one(own)}`,
    () => ({}),
    inPath((id) => `/memory/${id}`),
  ),
  'POST /consolidate': route(
    'POST',
    () => '/consolidate',
    () => ({ mode: 'decay', dry_run: true }),
    {},
  ),
  'GET /consolidate/status': route(
    'GET',
    () => '/consolidate/status',
    () => ({}),
    {},
  ),
  'POST /memory/:id/restore': route(
    'POST',
    (own) => `/memory/${one(own)}/restore`,
    () => ({}),
    inPath((id) => `/memory/${id}/restore`),
  ),
  'GET /memories/deleted': route(
    'GET',
    () => '/memories/deleted',
    () => ({}),
    { cursor: (_own, foreign) => ({ fields: { cursor: foreign.cursor() } }) },
  ),
  'GET /memories': route(
    'GET',
    () => '/memories',
    () => ({ limit: 5 }),
    {
      ...words(...OF_MEMORY),
      ...wordLists('tags', 'types'),
      cursor: (_own, foreign) => ({ fields: { cursor: foreign.cursor() } }),
    },
  ),
  'GET /recall': recall('GET'),
  'POST /recall': recall('POST'),
  'POST /associate': route(
    'POST',
    () => '/associate',
    (own) => association(...own.memories),
    {
      memory1_id: (own, foreign) => ({ fields: association(foreign.memory(), one(own)) }),
      memory2_id: (own, foreign) => ({ fields: association(one(own), foreign.memory()) }),
      'both memories': (_own, foreign) => ({ fields: association(foreign.memory(), foreign.memory()) }),
      'the first of an item': (own, foreign) => ({ fields: many(association(foreign.memory(), one(own))) }),
      'the second of an item, beside a good one': (own, foreign) => ({
        fields: many(association(...own.memories), association(one(own), foreign.memory())),
      }),
    },
  ),
  'GET /memories/:id/related': route(
    'GET',
    (own) => `/memories/${one(own)}/related`,
    () => ({ max_depth: 3 }),
    inPath((id) => `/memories/${id}/related`),
  ),
  'GET /entities': route(
    'GET',
    () => '/entities',
    () => ({ limit: 5 }),
    { cursor: (_own, foreign) => ({ fields: { cursor: foreign.cursor() } }) },
  ),
  'GET /entity/:slug': route(
    'GET',
    () => '/entity/nobody',
    () => ({}),
    { slug: (_own, foreign) => ({ path: `/entity/${foreign.word()}` }) },
  ),
  'POST /entity/:slug/merge': route(
    'POST',
    () => '/entity/nobody/merge',
    () => ({ merge_into: 'somebody' }),
    {
      slug: (_own, foreign) => ({ path: `/entity/${foreign.word()}/merge` }),
      merge_into: (_own, foreign) => ({ fields: { merge_into: foreign.word() } }),
    },
  ),
  'GET /enrichment/status': route(
    'GET',
    () => '/enrichment/status',
    () => ({}),
    {},
  ),
  'POST /enrichment/reprocess': route(
    'POST',
    () => '/enrichment/reprocess',
    (own) => ({ ids: [one(own)] }),
    { ids: (_own, foreign) => ({ fields: { ids: [foreign.memory()] } }) },
  ),
  'GET /startup-recall': route(
    'GET',
    () => '/startup-recall',
    () => ({ limit: 5 }),
    {},
  ),
  'GET /analyze': route(
    'GET',
    () => '/analyze',
    () => ({}),
    {},
  ),
  'GET /graph/snapshot': route(
    'GET',
    () => '/graph/snapshot',
    () => ({ limit: 5, entities: true }),
    wordLists('types'),
  ),
  'GET /graph/neighbors/:id': route(
    'GET',
    (own) => `/graph/neighbors/${one(own)}`,
    () => ({ depth: 3, entities: true }),
    inPath((id) => `/graph/neighbors/${id}`),
  ),
  'GET /graph/path': route(
    'GET',
    () => '/graph/path',
    (own) => ({ from: own.memories[0], to: own.memories[1] }),
    {
      from: (_own, foreign) => ({ fields: { from: foreign.memory() } }),
      to: (_own, foreign) => ({ fields: { to: foreign.memory() } }),
      both: (_own, foreign) => ({ fields: { from: foreign.memory(), to: foreign.memory() } }),
      ...wordLists('relationship_types'),
    },
  ),
  'GET /graph/stats': route(
    'GET',
    () => '/graph/stats',
    () => ({}),
    {},
  ),
  'GET /graph/types': route(
    'GET',
    () => '/graph/types',
    () => ({}),
    {},
  ),
  'GET /graph/relations': route(
    'GET',
    () => '/graph/relations',
    () => ({}),
    {},
  ),
  'POST /v1/workspaces/:workspace/api-keys': keyRoute('POST', '', { name: 'New' }),
  'GET /v1/workspaces/:workspace/api-keys': keyRoute('GET', '', undefined, {
    cursor: (own, foreign) => ({
      method: 'GET',
      path: `/v1/workspaces/${own.workspace}/api-keys?cursor=${foreign.cursor()}`,
    }),
  }),
  'DELETE /v1/workspaces/:workspace/api-keys/:id': keyRoute('DELETE', `/${NO_KEY}`, undefined, {
    'id in the path': (own, foreign) => ({
      method: 'DELETE',
      path: `/v1/workspaces/${own.workspace}/api-keys/${foreign.key()}`,
    }),
  }),
  'POST /v1/workspaces/:workspace/api-keys/:id/rotate': keyRoute(
    'POST',
    `/${NO_KEY}/rotate`,
    {},
    {
      'id in the path': (own, foreign) => ({
        method: 'POST',
        path: `/v1/workspaces/${own.workspace}/api-keys/${foreign.key()}/rotate`,
        body: { overlap_seconds: 60 },
      }),
    },
  ),
  'GET /v1/tenants/current/triggers': route(
    'GET',
    () => TRIGGERS,
    () => ({}),
    {},
  ),
  'POST /v1/tenants/current/triggers': route(
    'POST',
    () => TRIGGERS,
    () => QUIET_TRIGGER,
    {
      'when.workspace_id': (_own, { workspace }) => ({
        fields: { when: { event: 'memory.created', workspace_id: workspace.id } },
      }),
      'then.relate.to': (_own, foreign) => ({ fields: { then: [{ relate: { to: foreign.memory() } }] } }),
    },
  ),
  'PATCH /v1/tenants/current/triggers/:id': route(
    'PATCH',
    () => `${TRIGGERS}/${randomUUID()}`,
    () => ({ name: 'Changed' }),
    triggerInPath(''),
  ),
  'DELETE /v1/tenants/current/triggers/:id': route(
    'DELETE',
    () => `${TRIGGERS}/${randomUUID()}`,
    () => ({}),
    triggerInPath(''),
  ),
  'GET /v1/tenants/current/triggers/:id/deliveries': route(
    'GET',
    () => `${TRIGGERS}/${randomUUID()}/deliveries`,
    () => ({ limit: 5 }),
    triggerInPath('/deliveries'),
  ),
  'POST /v1/tenants/current/triggers/:id/redeliver': route(
    'POST',
    () => `${TRIGGERS}/${randomUUID()}/redeliver`,
    () => ({}),
    triggerInPath('/redeliver'),
  ),
  'GET /v1/tenants/current/members': route(
    'GET',
    () => MEMBERS,
    () => ({ limit: 5 }),
    { cursor: (_own, foreign) => ({ fields: { cursor: foreign.cursor() } }) },
  ),
  'POST /v1/tenants/current/members': route(
    'POST',
    () => MEMBERS,
    () => ({ email: `${randomUUID()}@own.example`, role: 'tenant_viewer' }),
    {
      email: (_own, foreign) => ({ fields: { email: `${foreign.word()}@strangers.example` } }),
      external_id: (_own, foreign) => ({ fields: { external_id: foreign.word() } }),
    },
  ),
  'PATCH /v1/tenants/current/members/:id': route(
    'PATCH',
    ({ member }) => `${MEMBERS}/${member}`,
    () => ({ name: 'Changed' }),
    memberInPath,
  ),
  'DELETE /v1/tenants/current/members/:id': route(
    'DELETE',
    () => `${MEMBERS}/${randomUUID()}`,
    () => ({}),
    memberInPath,
  ),
  'POST /v1/tenants/current/tokens': route(
    'POST',
    () => '/v1/tenants/current/tokens',
    ({ member }) => ({ member_id: member }),
    { member_id: (_own, foreign) => ({ fields: { member_id: foreign.member() } }) },
  ),
  'GET /v1/tenants/current/oidc': route(
    'GET',
    () => '/v1/tenants/current/oidc',
    () => ({}),
    {},
  ),
  'PUT /v1/tenants/current/oidc': route(
    'PUT',
    () => '/v1/tenants/current/oidc',
    () => ({ issuer: 'https://login.own.example', audience: randomUUID() }),
    { audience: (_own, foreign) => ({ fields: { audience: foreign.word() } }) },
  ),
  // Names no workspace: a second request with an unknown one would find nothing left.
  'DELETE /v1/tenants/current/oidc': {
    plain: () => ({ method: 'DELETE', path: '/v1/tenants/current/oidc' }),
    places: {
      'X-Tenant-ID (id)': (_own, { tenant }) => ({
        method: 'DELETE',
        path: '/v1/tenants/current/oidc',
        headers: { 'X-Tenant-ID': tenant.id },
      }),
    },
  },
};

/** Instead of the single association that a plain request holds. */
function many(...associations: Record<string, unknown>[]): Record<string, unknown> {
  return { memory1_id: undefined, memory2_id: undefined, type: undefined, associations };
}

/** Every route of the operator's, as a request about this tenant. */
export const OPERATOR_ROUTES: Record<string, (tenant: string) => Probe> = {
  'POST /admin/tenants': (tenant) => ({
    method: 'POST',
    path: '/admin/tenants',
    body: { tenant_id: tenant },
  }),
  'GET /admin/master-key': () => ({ method: 'GET', path: '/admin/master-key' }),
  'POST /admin/master-key/rotate': () => ({ method: 'POST', path: '/admin/master-key/rotate', body: {} }),
  'GET /admin/audit': (tenant) => ({ method: 'GET', path: `/admin/audit?tenant=${tenant}` }),
  'GET /admin/audit/verify': (tenant) => ({ method: 'GET', path: `/admin/audit/verify?tenant=${tenant}` }),
  'GET /admin/tenants': () => ({ method: 'GET', path: '/admin/tenants' }),
  'GET /admin/tenants/:tenant': (tenant) => ({ method: 'GET', path: `/admin/tenants/${tenant}` }),
  'PATCH /admin/tenants/:tenant': (tenant) => ({
    method: 'PATCH',
    path: `/admin/tenants/${tenant}`,
    body: { name: 'Taken over' },
  }),
  'DELETE /admin/tenants/:tenant': (tenant) => ({
    method: 'DELETE',
    path: `/admin/tenants/${tenant}?purge=true`,
  }),
  'POST /admin/tenants/:tenant/suspend': (tenant) => ({
    method: 'POST',
    path: `/admin/tenants/${tenant}/suspend`,
    body: {},
  }),
  'POST /admin/tenants/:tenant/resume': (tenant) => ({
    method: 'POST',
    path: `/admin/tenants/${tenant}/resume`,
    body: {},
  }),
  'POST /admin/tenants/:tenant/restore': (tenant) => ({
    method: 'POST',
    path: `/admin/tenants/${tenant}/restore`,
    body: {},
  }),
  'GET /admin/tenants/:tenant/usage': (tenant) => ({ method: 'GET', path: `/admin/tenants/${tenant}/usage` }),
  'GET /admin/stats': () => ({ method: 'GET', path: '/admin/stats' }),
  'POST /v1/tenants': (tenant) => ({ method: 'POST', path: '/v1/tenants', body: { tenant_id: tenant } }),
  'GET /v1/tenants': () => ({ method: 'GET', path: '/v1/tenants' }),
  'GET /v1/tenants/:tenant/stats': (tenant) => ({ method: 'GET', path: `/v1/tenants/${tenant}/stats` }),
  'POST /v1/organizations': (tenant) => ({
    method: 'POST',
    path: '/v1/organizations',
    body: { name: 'Taken over', slug: tenant },
  }),
  'GET /v1/organizations': () => ({ method: 'GET', path: '/v1/organizations' }),
  'GET /admin/tenants/:tenant/stats': (tenant) => ({ method: 'GET', path: `/admin/tenants/${tenant}/stats` }),
  'GET /admin/tenants/:tenant/placement': (tenant) => ({
    method: 'GET',
    path: `/admin/tenants/${tenant}/placement`,
  }),
  'POST /admin/tenants/:tenant/placement': (tenant) => ({
    method: 'POST',
    path: `/admin/tenants/${tenant}/placement`,
    body: { placement: 'shared' },
  }),
  'POST /admin/tenants/:tenant/verify': (tenant) => ({
    method: 'POST',
    path: `/admin/tenants/${tenant}/verify`,
    body: {},
  }),
  'POST /admin/tenants/:tenant/rebuild': (tenant) => ({
    method: 'POST',
    path: `/admin/tenants/${tenant}/rebuild`,
    body: {},
  }),
  'POST /admin/tenants/:tenant/keys': (tenant) => ({
    method: 'POST',
    path: `/admin/tenants/${tenant}/keys`,
    body: { scopes: ['manage'] },
  }),
  'GET /admin/tenants/:tenant/keys': (tenant) => ({ method: 'GET', path: `/admin/tenants/${tenant}/keys` }),
  'DELETE /admin/tenants/:tenant/keys/:id': (tenant) => ({
    method: 'DELETE',
    path: `/admin/tenants/${tenant}/keys/${NO_KEY}`,
  }),
  'POST /admin/tenants/:tenant/keys/:id/rotate': (tenant) => ({
    method: 'POST',
    path: `/admin/tenants/${tenant}/keys/${NO_KEY}/rotate`,
    body: {},
  }),
};

/** Routes that need no key: they tell nothing of any tenant. `/metrics` has a token of its own. */
export const PUBLIC_ROUTES: readonly string[] = [
  'GET /',
  'GET /errors/:code',
  'GET /docs',
  'GET /docs/',
  'GET /docs/index.html',
  'GET /docs/LICENSE',
  'GET /docs/swagger-ui-init.js',
  'GET /docs/docs/swagger-ui-init.js',
  'GET /openapi.json',
  'GET /openapi.yaml',
  'GET /health',
  'GET /v1/health',
  'GET /health/live',
  'GET /health/ready',
  'GET /health/agent',
  'GET /metrics',
  'GET /v1/widget',
];
