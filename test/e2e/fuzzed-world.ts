import { randomUUID } from 'node:crypto';
import { errorCodes } from '../../src/platform/errors/error-codes.js';
import { eventually } from '../spaces/rules/projected.js';
import type { Loci, Reply } from '../support/loci.js';

/** Whose token a request bears. */
export const CALLERS = ['operator', 'whole', 'workspace', 'readOnly', 'made', 'wrong', 'none'] as const;
export type CallerKind = (typeof CALLERS)[number];

/** Whose things a request is about: of a tenant that lasts, of its neighbour, or of one that may come to any end. */
export const HOMES = ['lasting', 'neighbour', 'sacrificed'] as const;
export type HomeKind = (typeof HOMES)[number];

/** What requests refer to. The answers add what they have made; the oldest is forgotten. */
type Kind = 'memory' | 'workspace' | 'agent' | 'member' | 'key' | 'made' | 'entity' | 'trigger';
const KEPT = 24;
const KEPT_HOMES = 10;

interface Home {
  slug: string;
  id: string;
  domain: string;
  /** The id of the default one, which can be renamed but not deleted. */
  workspace: string;
  tokens: Partial<Record<CallerKind, string>>;
  things: Record<Kind, string[]>;
}

/** `‹memory 7›`: a word that stands for the seventh memory there is when the request goes out, so that a seed tells all. */
export const reference = (
  kind: Kind | 'tenant' | 'default' | 'foreign' | 'cursor' | 'code',
  n: number,
): string => `‹${kind} ${n}›`;

type Answer = Reply<Record<string, unknown>>;

/** The tenants that are there, and what they have, as far as the fuzzing knows. */
export class FuzzedWorld {
  private readonly sacrificed: Home[] = [];
  private readonly cursors = new Map<string, string[]>();

  private constructor(
    private readonly operator: string,
    private readonly lasting: Home,
    private readonly neighbour: Home,
  ) {}

  static async in(loci: Loci): Promise<FuzzedWorld> {
    const lasting = await prepared(loci, 'lasting.example');
    const world = new FuzzedWorld(loci.operator.token, lasting, await prepared(loci, 'neighbour.example'));
    for (let i = 0; i < KEPT_HOMES; i++) world.sacrificed.push(await prepared(loci, `given-${i}.example`));
    return world;
  }

  home(kind: HomeKind, n: number): Home {
    if (kind !== 'sacrificed') return this[kind];
    return at(this.sacrificed, n) ?? this.neighbour;
  }

  token(caller: CallerKind, home: Home, n: number): string | null {
    if (caller === 'none') return null;
    if (caller === 'operator') return this.operator;
    if (caller === 'wrong') return `loci_live_${'0'.repeat(n % 60)}`;
    const made = caller === 'made' ? at(home.things.made, n) : home.tokens[caller];
    return made ?? home.tokens.whole ?? null;
  }

  /** Puts what there is in the place of every reference. */
  resolve(text: string, operation: string, home: Home): string {
    return text.replace(/‹(\w+) (\d+)›/g, (_whole, kind: string, digits: string) => {
      const n = Number(digits);
      if (kind === 'tenant') return n % 2 === 0 ? home.slug : home.id;
      if (kind === 'default') return home.workspace;
      if (kind === 'code') return at(Object.keys(errorCodes), n) ?? '';
      if (kind === 'cursor') return at(this.cursors.get(operation) ?? [], n) ?? 'none';
      if (kind !== 'foreign') return at(home.things[kind as Kind], n) ?? randomUUID();
      const other = this.strangerTo(home, n);
      return at([other.id, other.slug, ...Object.values(other.things).flat()], n) ?? '';
    });
  }

  /** A request that may ruin its own tenant ruins only one of that kind where it names another. */
  private strangerTo(home: Home, n: number): Home {
    if (home === this.lasting) return this.neighbour;
    return home === this.neighbour ? this.lasting : (at(this.sacrificed, n) ?? home);
  }

  /** What an answer of the 2xx kind has made can be asked for from now on. */
  learn(operation: string, home: Home, { body }: Answer): void {
    const cursors = this.cursors.get(operation) ?? [];
    keep(cursors, [body['next_cursor']]);
    this.cursors.set(operation, cursors);
    const { things } = home;
    if (/^POST .*\/(?:memory|memory\/batch)$/.test(operation))
      keep(things.memory, [body['memory_id'], body['memory_ids']].flat());
    else if (/^POST .*\/workspaces$/.test(operation)) keep(things.workspace, [body['id'], body['slug']]);
    else if (/^POST .*\/agents(?:\/from-template)?$/.test(operation))
      keep(things.agent, [body['id'], body['slug']]);
    else if (operation.endsWith('/triggers')) keep(things.trigger, [body['id']]);
    else if (operation.endsWith('/members')) keep(things.member, [body['id']]);
    else if (/^POST .*\/tokens$/.test(operation)) keep(things.made, [body['token']]);
    else if (/^POST .*keys(?:\/\{id\}\/rotate)?$/.test(operation)) {
      keep(things.key, [body['id']]);
      keep(things.made, [body['key']]);
    } else if (/^POST \/(?:admin\/tenants|v1\/tenants|v1\/organizations)$/.test(operation))
      this.receive(body);
  }

  private receive(body: Record<string, unknown>): void {
    const key = (body['api_key'] as { key?: unknown } | undefined)?.key;
    if (typeof key !== 'string') return;
    const slug = String(body['tenant_id'] ?? body['slug']);
    this.sacrificed.push({
      slug,
      id: String(body['id']),
      domain: typeof body['domain'] === 'string' ? body['domain'] : `${slug}.example`,
      workspace: String(body['workspace_id']),
      tokens: { whole: key },
      things: { ...NOTHING(), workspace: ['default'], agent: ['default'] },
    });
    if (this.sacrificed.length > KEPT_HOMES) this.sacrificed.shift();
  }
}

const NOTHING = (): Home['things'] => ({
  ...{ memory: [], workspace: [], agent: [], member: [], key: [], made: [], entity: [], trigger: [] },
});

/** A tenant with something of every kind, and a key of every reach. */
async function prepared(loci: Loci, domain: string): Promise<Home> {
  const quotas = { max_api_calls_per_minute: 1_000_000 };
  const tenant = await loci.tenant({ domain, platform: 'shopify', settings: { quotas } });
  // Nobody gets to know this one's id, so it stays, and with it whom it names.
  await tenant.post('/memory', { content: 'Anna met Benjamin, Carla, Diego, Grace and Michael in Lisbon.' });
  const make = async (path: string, order: object): Promise<Record<string, string>> => {
    const { status, body } = await tenant.post<Record<string, string>>(path, order);
    if (status !== 201) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  };
  const keys = '/v1/workspaces/default/api-keys';
  const of = (body: Record<string, string>, name: string): string => body[name] ?? '';
  const things: Home['things'] = {
    ...NOTHING(),
    workspace: ['default', tenant.workspaceId],
    agent: ['default'],
  };
  for (const content of ['The lantern is in the shed.', 'The teapot is blue.', 'Anna grows tomatoes.'])
    things.memory.push(
      of(await make('/memory', { content, tags: ['a', 'b'], session_id: 's' }), 'memory_id'),
    );
  things.workspace.push(of(await make('/v1/workspaces', { name: 'Own', slug: 'own' }), 'slug'));
  things.agent.push(of(await make('/v1/workspaces/default/agents', { name: 'Own', slug: 'own' }), 'slug'));
  const member = { email: `ada@${domain}`, role: 'tenant_user' };
  things.member.push(of(await make('/v1/tenants/current/members', member), 'id'));
  const rule = { name: 'Own', when: { event: 'memory.created' }, then: [{ tag: ['own'] }], is_active: false };
  things.trigger.push(of(await make('/v1/tenants/current/triggers', rule), 'id'));
  const oidc = { issuer: 'https://login.example', audience: domain };
  await tenant.call('PUT', '/v1/tenants/current/oidc', oidc);
  const spare = await make(keys, {});
  things.key.push(of(spare, 'id'));
  things.made.push(of(spare, 'key'));
  const workspace = of(await make(keys, {}), 'key');
  await eventually('whom its memory names is known', async () => {
    const { body } = await tenant.get<{ data: { slug: string }[] }>('/entities');
    things.entity = body.data.map(({ slug }) => slug);
    return things.entity.length > 3;
  });
  // What is made up here names nobody, and reading it would only take time.
  await tenant.patch('/v1/tenants/current', { settings: { enrichment: false } });
  const readOnly = of(await make(keys, { scopes: ['memory:read', 'search'] }), 'key');
  return {
    slug: tenant.slug,
    id: tenant.id,
    domain,
    workspace: tenant.workspaceId,
    tokens: { whole: tenant.token, workspace, readOnly },
    things,
  };
}

const at = <Item>(items: readonly Item[], n: number): Item | undefined => items[n % items.length];

function keep(known: string[], made: unknown[]): void {
  known.push(...made.filter((thing) => typeof thing === 'string'));
  known.splice(0, Math.max(0, known.length - KEPT));
}
