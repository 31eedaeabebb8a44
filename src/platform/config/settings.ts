import { parseTenantSlug } from '../../tenancy/tenant.js';
import { EnvironmentReader, SettingsError } from './environment.js';
import type { Environment } from './environment.js';
import { defaultPlans, planTiers, planVariables } from './plans.js';
import type { Plan, PlanTier, Plans } from './plans.js';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Everything that is set from outside, parsed once at start; nobody else reads the environment. */
export abstract class Settings {
  abstract readonly mode: 'development' | 'production' | 'test';
  abstract readonly host: string;
  abstract readonly port: number;
  abstract readonly role: 'all' | 'api' | 'worker';
  /** Paths of PEM files. Null: plain HTTP. */
  abstract readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  /** What Express takes as `trust proxy`: nobody, a number of hops, or addresses. */
  abstract readonly trustProxy: false | number | readonly string[];
  /** After so many different wrong tokens within a minute an address is told to wait before it sends more of them. */
  abstract readonly wrongTokensPerMinute: number;
  abstract readonly logLevel: LogLevel;
  /** Of so many successful requests one is logged; everything else always is. */
  abstract readonly logEvery: number;
  /** Null: chosen at start (`./.loci`, or `/var/lib/loci`). */
  abstract readonly dataDir: string | null;
  /** Null: made at the first start and kept in the data folder. So is the master key. */
  abstract readonly adminToken: string | null;
  abstract readonly masterKey: Buffer | null;
  /** The one that is being replaced: what it has wrapped is opened on. */
  abstract readonly previousMasterKey: Buffer | null;
  abstract readonly metricsToken: string | null;
  /** Whether a store's site may ask without a key, and is known by its host name. */
  abstract readonly resolveHosts: boolean;
  /** Null: the embedded PostgreSQL. */
  abstract readonly databaseUrl: string | null;
  /** Null: the embedded vectors. */
  abstract readonly qdrant: { readonly url: string; readonly apiKey: string | null } | null;
  /** Null: the embedded graph. */
  abstract readonly falkordb: { readonly url: string } | null;
  /**
   * How many connections this process holds open at the most, to each server of a kind: to a PostgreSQL for tenants'
   * work, and half as many more for the system's.
   */
  abstract readonly connections: {
    readonly database: number;
    readonly qdrant: number;
    readonly falkordb: number;
  };
  /** A JSON file of named placements. Null: one, `shared`, made of the three above. */
  abstract readonly placementsFile: string | null;
  /** The placements whose tenants this process answers for and looks after. Null: all of them. */
  abstract readonly servedPlacements: readonly string[] | null;
  abstract readonly models: {
    /** Null: OpenAI's own address. */
    readonly baseUrl: string | null;
    readonly apiKey: string | null;
    /** Null: the embedded model. */
    readonly embedding: string | null;
    /** Of the operator's endpoint: the language model of tenants that name none, and others that they may name. */
    readonly chats: readonly string[];
  };
  /** `host` or `host:port`: what a tenant may name though it is no host of the public internet, or has no TLS. */
  abstract readonly privateHosts: readonly string[];
  /** Whether what is stored is read in the background: for entities, for what it is like, for summaries. */
  abstract readonly enrichment: boolean;
  abstract readonly plans: Plans;
  /** The plan of a tenant that is made without naming one. */
  abstract readonly defaultPlan: PlanTier;
  abstract readonly defaultTenant: {
    readonly slug: string;
    readonly id: string;
    readonly workspaceId: string;
    readonly agentId: string;
  };
  /** Overrides of the weights in recall's ranking, by name; the ranking knows the names. */
  abstract readonly recallWeights: Readonly<Record<string, number>>;
}

/** For the command line, which is a client; the server knows them and leaves them alone. */
const clientVariables = ['LOCI_URL', 'LOCI_API_KEY'];

const INSTALLATION_ID = '00000000-0000-0000-0000-00000000000';

/** Throws `SettingsError` at the first setting that cannot be. */
export function parseSettings(env: Environment): Settings {
  const { settings, known } = read(env);
  for (const name of Object.keys(env)) {
    if (name.startsWith('LOCI_') && !known.has(name)) {
      throw new SettingsError(name, 'is no setting of this version');
    }
  }
  return settings;
}

/** The name of every setting there is, in the order in which they are read. */
export function settingNames(): string[] {
  return [...read({}).known];
}

function read(env: Environment): { settings: Settings; known: ReadonlySet<string> } {
  const reader = new EnvironmentReader(env);
  for (const name of clientVariables) reader.known.add(name);

  for (const wall of ['ENABLE_TENANT_ISOLATION', 'ENABLE_ROW_LEVEL_SECURITY']) {
    if (!reader.flag(wall, true))
      throw new SettingsError(wall, 'cannot be false: isolation cannot be turned off');
  }

  const mode = reader.word('NODE_ENV', ['development', 'production', 'test'], 'development');
  const settings: Settings = {
    mode,
    host: reader.text('HOST') ?? '127.0.0.1',
    port: reader.integer('PORT', { min: 0, max: 65_535 }) ?? 8000,
    role: reader.word('LOCI_ROLE', ['all', 'api', 'worker'], 'all'),
    tls: readTls(reader),
    trustProxy: readTrustProxy(reader),
    wrongTokensPerMinute: reader.integer('LOCI_WRONG_TOKENS_PER_MINUTE', { min: 1, max: 1_000_000 }) ?? 30,
    logLevel: reader.word('LOG_LEVEL', logLevels, mode === 'test' ? 'warn' : 'info'),
    logEvery: reader.integer('LOCI_LOG_EVERY', { min: 1, max: 1_000_000 }) ?? 1,
    dataDir: reader.text('LOCI_DATA_DIR'),
    adminToken: reader.token('ADMIN_API_TOKEN', mode === 'production' ? 32 : 8),
    masterKey: reader.bytes('LOCI_MASTER_KEY', 32),
    previousMasterKey: reader.bytes('LOCI_MASTER_KEY_PREVIOUS', 32),
    metricsToken: reader.token('METRICS_TOKEN', mode === 'production' ? 32 : 8),
    enrichment: reader.flag('LOCI_ENRICHMENT', true),
    resolveHosts: reader.flag('LOCI_RESOLVE_HOSTS', false),
    databaseUrl: reader.url('DATABASE_URL', ['postgres', 'postgresql']),
    qdrant: readQdrant(reader),
    falkordb: readFalkordb(reader),
    connections: {
      database: readConnections(reader, 'DATABASE') ?? 16,
      qdrant: readConnections(reader, 'QDRANT') ?? 32,
      falkordb: readConnections(reader, 'FALKORDB') ?? 256,
    },
    placementsFile: reader.text('LOCI_PLACEMENTS'),
    servedPlacements: reader.names('LOCI_SERVE_PLACEMENTS'),
    models: {
      baseUrl: reader.url('OPENAI_BASE_URL', ['https', 'http']),
      apiKey: reader.token('OPENAI_API_KEY', 1),
      embedding: reader.text('EMBEDDING_MODEL'),
      chats: readChatModels(reader),
    },
    privateHosts: readPrivateHosts(reader),
    ...readPlans(reader),
    defaultTenant: {
      slug: readDefaultSlug(reader),
      id: `${INSTALLATION_ID}1`,
      workspaceId: reader.uuid('DEFAULT_WORKSPACE_ID', `${INSTALLATION_ID}2`),
      agentId: reader.uuid('DEFAULT_AGENT_ID', `${INSTALLATION_ID}3`),
    },
    recallWeights: reader.weights('LOCI_RECALL_WEIGHTS'),
  };
  refuseContradictions(settings);
  return { settings: Object.freeze(settings), known: reader.known };
}

function refuseContradictions(settings: Settings): void {
  if (settings.previousMasterKey !== null && settings.masterKey === null)
    throw new SettingsError('LOCI_MASTER_KEY_PREVIOUS', 'is of use beside LOCI_MASTER_KEY only');
  if (settings.databaseUrl !== null) {
    // Several replicas share this ledger: each making secrets of its own would lock the others out.
    if (settings.masterKey === null)
      throw new SettingsError('LOCI_MASTER_KEY', 'is needed with DATABASE_URL');
    if (settings.adminToken === null)
      throw new SettingsError('ADMIN_API_TOKEN', 'is needed with DATABASE_URL');
  }
  // Where placements are named, their file says where vectors and graphs are: `readPlacements` looks there.
  const indexEmbedded =
    settings.placementsFile === null && (settings.qdrant === null || settings.falkordb === null);
  if (settings.role !== 'all' && (settings.databaseUrl === null || indexEmbedded)) {
    throw new SettingsError(
      'LOCI_ROLE',
      'must be all where a store is embedded: set DATABASE_URL, QDRANT_URL and FALKORDB_URL for other roles',
    );
  }
  if (settings.models.baseUrl === null && settings.models.apiKey === null) {
    for (const [name, model] of [
      ['EMBEDDING_MODEL', settings.models.embedding],
      ['CHAT_MODEL', settings.models.chats[0] ?? null],
    ] as const) {
      if (model !== null) throw new SettingsError(name, 'needs OPENAI_API_KEY or OPENAI_BASE_URL');
    }
  }
}

function readChatModels(reader: EnvironmentReader): readonly string[] {
  const first = reader.text('CHAT_MODEL');
  const others = reader.names('CHAT_MODELS');
  if (first === null && others !== null) throw new SettingsError('CHAT_MODELS', 'needs CHAT_MODEL');
  return Object.freeze([...new Set([...(first === null ? [] : [first]), ...(others ?? [])])]);
}

function readTls(reader: EnvironmentReader): Settings['tls'] {
  const certFile = reader.text('LOCI_TLS_CERT');
  const keyFile = reader.text('LOCI_TLS_KEY');
  if (certFile === null && keyFile === null) return null;
  if (certFile === null) throw new SettingsError('LOCI_TLS_CERT', 'is needed with LOCI_TLS_KEY');
  if (keyFile === null) throw new SettingsError('LOCI_TLS_KEY', 'is needed with LOCI_TLS_CERT');
  return { certFile, keyFile };
}

/** `true` means one hop: to believe the whole chain is to believe what any caller writes into it. */
function readTrustProxy(reader: EnvironmentReader): Settings['trustProxy'] {
  const value = reader.text('TRUST_PROXY')?.toLowerCase();
  if (value === undefined || ['off', 'false', 'no', '0'].includes(value)) return false;
  if (['on', 'true', 'yes'].includes(value)) return 1;
  if (/^\d{1,2}$/.test(value)) return Number(value);
  const addresses = value.split(',').map((address) => address.trim());
  const plausible =
    /^(?:loopback|linklocal|uniquelocal|[0-9.]+(?:\/\d+)?|[0-9a-f:.]*:[0-9a-f:.]*(?:\/\d+)?)$/;
  if (!addresses.every((address) => plausible.test(address))) {
    throw new SettingsError('TRUST_PROXY', 'must be off, a number of hops, or addresses separated by commas');
  }
  return addresses;
}

function readPrivateHosts(reader: EnvironmentReader): string[] {
  const hosts = reader.text('LOCI_PRIVATE_HOSTS')?.toLowerCase().split(',') ?? [];
  return hosts.map((host) => {
    const name = host.trim().replace(/[[\]]/g, '');
    const plausible = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|[0-9a-f:]*:[0-9a-f:.]+)(?::\d{1,5})?$/;
    if (!plausible.test(name)) {
      throw new SettingsError('LOCI_PRIVATE_HOSTS', 'must be hosts, or host:port, separated by commas');
    }
    return name;
  });
}

function readQdrant(reader: EnvironmentReader): Settings['qdrant'] {
  const url = reader.url('QDRANT_URL', ['http', 'https']);
  const apiKey = reader.token('QDRANT_API_KEY', 1);
  if (url === null && apiKey !== null) throw new SettingsError('QDRANT_API_KEY', 'needs QDRANT_URL');
  return url === null ? null : { url, apiKey };
}

/** Two at least: one that waits for something slow must not be all there is. */
function readConnections(reader: EnvironmentReader, server: string): number | null {
  return reader.integer(`LOCI_${server}_CONNECTIONS`, { min: 2, max: 10_000 });
}

function readFalkordb(reader: EnvironmentReader): Settings['falkordb'] {
  const url = reader.url('FALKORDB_URL', ['falkor', 'falkors', 'redis', 'rediss']);
  const host = reader.text('FALKORDB_HOST');
  const port = reader.integer('FALKORDB_PORT', { min: 1, max: 65_535 });
  if (url !== null) {
    if (host !== null) throw new SettingsError('FALKORDB_HOST', 'cannot be set together with FALKORDB_URL');
    if (port !== null) throw new SettingsError('FALKORDB_PORT', 'cannot be set together with FALKORDB_URL');
    return { url };
  }
  if (host === null) {
    if (port !== null) throw new SettingsError('FALKORDB_PORT', 'needs FALKORDB_HOST');
    return null;
  }
  const address = `falkor://${host}:${port ?? 6379}`;
  if (!/^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])$/i.test(host) || !URL.canParse(address)) {
    throw new SettingsError('FALKORDB_HOST', 'must be a host name or an address');
  }
  return { url: address };
}

function readPlans(reader: EnvironmentReader): { plans: Plans; defaultPlan: PlanTier } {
  const defaultPlan = reader.word('DEFAULT_PLAN_TIER', planTiers, 'enterprise');
  const defaultRate = reader.integer('DEFAULT_RATE_LIMIT', { min: 1, max: 1_000_000 });
  const plans = {} as Record<PlanTier, Readonly<Plan>>;
  for (const tier of planTiers) {
    const plan: Plan = { ...defaultPlans[tier] };
    if (defaultRate !== null) plan.requestsPerMinute = defaultRate;
    for (const [suffix, number] of Object.entries(planVariables)) {
      const value = reader.integer(`${tier.toUpperCase()}_TIER_${suffix}`, {
        min: 1,
        max: 1_000_000_000_000,
      });
      if (value !== null) plan[number] = value;
    }
    plans[tier] = Object.freeze(plan);
  }
  return { plans: Object.freeze(plans), defaultPlan };
}

function readDefaultSlug(reader: EnvironmentReader): string {
  const slug = parseTenantSlug(reader.text('DEFAULT_TENANT_SLUG') ?? 'default');
  if (slug === null) {
    throw new SettingsError('DEFAULT_TENANT_SLUG', 'must be 1 to 48 of a-z, 0-9, _ and -, and no UUID');
  }
  return slug;
}
