import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnvironment, SettingsError } from '../../src/platform/config/environment.js';
import type { Environment } from '../../src/platform/config/environment.js';
import { defaultPlans } from '../../src/platform/config/plans.js';
import { parseSettings, settingNames } from '../../src/platform/config/settings.js';

const masterKey = Buffer.alloc(32, 7).toString('base64');
const servers = {
  DATABASE_URL: 'postgres://loci:pw@db:5432/loci',
  QDRANT_URL: 'http://qdrant:6333',
  FALKORDB_URL: 'falkor://falkordb:6379',
  LOCI_MASTER_KEY: masterKey,
  ADMIN_API_TOKEN: 'a'.repeat(40),
};

function refusal(env: Environment): SettingsError {
  try {
    parseSettings(env);
  } catch (error) {
    if (error instanceof SettingsError) return error;
    throw error;
  }
  throw new Error('the settings were accepted');
}

describe('settings', () => {
  it('are complete with nothing set: everything embedded, on loopback', () => {
    const settings = parseSettings({});
    expect(settings).toMatchObject({
      mode: 'development',
      host: '127.0.0.1',
      port: 8000,
      role: 'all',
      tls: null,
      trustProxy: false,
      logLevel: 'info',
      servedPlacements: null,
      dataDir: null,
      adminToken: null,
      masterKey: null,
      databaseUrl: null,
      qdrant: null,
      falkordb: null,
      connections: { database: 16, qdrant: 32, falkordb: 256 },
      placementsFile: null,
      models: { baseUrl: null, apiKey: null, embedding: null, chats: [] },
      plans: defaultPlans,
      defaultPlan: 'enterprise',
      defaultTenant: {
        slug: 'default',
        id: '00000000-0000-0000-0000-000000000001',
        workspaceId: '00000000-0000-0000-0000-000000000002',
        agentId: '00000000-0000-0000-0000-000000000003',
      },
      recallWeights: {},
    });
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it('read every kind of value', () => {
    const settings = parseSettings({
      ...servers,
      PORT: '9001',
      LOCI_ROLE: 'api',
      LOG_LEVEL: 'WARN',
      TRUST_PROXY: 'loopback, 10.0.0.0/8, fd00::/8',
      LOCI_TLS_CERT: '/tls/cert.pem',
      LOCI_TLS_KEY: '/tls/key.pem',
      OPENAI_BASE_URL: 'http://models:8080/v1',
      CHAT_MODEL: 'small',
      CHAT_MODELS: 'vendor/large:latest, small',
      EMBEDDING_MODEL: 'bge-m3',
      DEFAULT_PLAN_TIER: 'free',
      DEFAULT_RATE_LIMIT: '90',
      FREE_TIER_MAX_DOCUMENTS: '50',
      PRO_TIER_RATE_LIMIT: '2000',
      LOCI_RECALL_WEIGHTS: 'vector=0.5, text=.25,joined_vector=1',
    });
    expect(settings).toMatchObject({
      port: 9001,
      role: 'api',
      logLevel: 'warn',
      trustProxy: ['loopback', '10.0.0.0/8', 'fd00::/8'],
      tls: { certFile: '/tls/cert.pem', keyFile: '/tls/key.pem' },
      models: {
        baseUrl: 'http://models:8080/v1',
        embedding: 'bge-m3',
        chats: ['small', 'vendor/large:latest'],
      },
      defaultPlan: 'free',
      recallWeights: { vector: 0.5, text: 0.25, joined_vector: 1 },
    });
    expect(settings.masterKey?.equals(Buffer.alloc(32, 7))).toBe(true);
    expect(settings.plans.free).toMatchObject({ maxDocuments: 50, maxWorkspaces: 1, requestsPerMinute: 90 });
    expect(settings.plans.pro.requestsPerMinute).toBe(2000);
  });

  it('take a blank variable for an absent one', () => {
    expect(parseSettings({ PORT: '', DATABASE_URL: ' ', LOCI_TLS_CERT: '', LOCI_TLS_KEY: '' })).toMatchObject(
      {
        port: 8000,
        databaseUrl: null,
        tls: null,
      },
    );
  });

  it.each([
    [{ TRUST_PROXY: 'off' }, false],
    [{ TRUST_PROXY: 'true' }, 1],
    [{ TRUST_PROXY: '2' }, 2],
  ])('understand %j', (env, trustProxy) => {
    expect(parseSettings(env).trustProxy).toEqual(trustProxy);
  });

  it.each<[string, Environment]>([
    ['PORT', { PORT: '80a' }],
    ['PORT', { PORT: '65536' }],
    ['PORT', { PORT: '-1' }],
    ['PORT', { PORT: '1e3' }],
    ['NODE_ENV', { NODE_ENV: 'staging' }],
    ['LOG_LEVEL', { LOG_LEVEL: 'loud' }],
    ['LOCI_ROLE', { LOCI_ROLE: 'both' }],
    ['LOCI_ROLE', { LOCI_ROLE: 'api' }],
    ['LOCI_ROLE', { ...servers, QDRANT_URL: '', LOCI_ROLE: 'worker' }],
    ['LOCI_MASTER_KEY', { LOCI_MASTER_KEY: 'too-short' }],
    ['LOCI_MASTER_KEY', { LOCI_MASTER_KEY: Buffer.alloc(31).toString('base64') }],
    ['LOCI_MASTER_KEY', { LOCI_MASTER_KEY: `${masterKey.slice(0, -3)}*()` }],
    ['LOCI_MASTER_KEY', { ...servers, LOCI_MASTER_KEY: '' }],
    ['LOCI_MASTER_KEY_PREVIOUS', { ...servers, LOCI_MASTER_KEY_PREVIOUS: 'short' }],
    ['LOCI_MASTER_KEY_PREVIOUS', { LOCI_MASTER_KEY_PREVIOUS: masterKey }],
    ['ADMIN_API_TOKEN', { ...servers, ADMIN_API_TOKEN: '' }],
    ['ADMIN_API_TOKEN', { NODE_ENV: 'production', ADMIN_API_TOKEN: 'only-twenty-six-characters' }],
    ['ADMIN_API_TOKEN', { ADMIN_API_TOKEN: 'with a space' }],
    ['METRICS_TOKEN', { NODE_ENV: 'production', METRICS_TOKEN: 'short-one' }],
    ['DATABASE_URL', { DATABASE_URL: 'mysql://loci:hunter2@db/loci' }],
    ['DATABASE_URL', { DATABASE_URL: 'hunter2' }],
    ['QDRANT_URL', { QDRANT_URL: 'qdrant:6333' }],
    ['QDRANT_API_KEY', { QDRANT_API_KEY: 'hunter2' }],
    ['FALKORDB_URL', { FALKORDB_URL: 'http://graph:6379' }],
    ['FALKORDB_PORT', { FALKORDB_PORT: '6379' }],
    ['FALKORDB_HOST', { FALKORDB_HOST: 'a/../b' }],
    ['FALKORDB_HOST', { FALKORDB_URL: 'falkor://a:1', FALKORDB_HOST: 'b' }],
    ['OPENAI_BASE_URL', { OPENAI_BASE_URL: 'ftp://models' }],
    ['CHAT_MODELS', { OPENAI_API_KEY: 'sk', CHAT_MODELS: 'large' }],
    ['EMBEDDING_MODEL', { EMBEDDING_MODEL: 'bge-m3' }],
    ['LOCI_TLS_KEY', { LOCI_TLS_CERT: '/cert.pem' }],
    ['LOCI_TLS_CERT', { LOCI_TLS_KEY: '/key.pem' }],
    ['TRUST_PROXY', { TRUST_PROXY: 'everybody' }],
    ['ENABLE_TENANT_ISOLATION', { ENABLE_TENANT_ISOLATION: 'no' }],
    ['ENABLE_ROW_LEVEL_SECURITY', { ENABLE_ROW_LEVEL_SECURITY: 'OFF' }],
    ['ENABLE_ROW_LEVEL_SECURITY', { ENABLE_ROW_LEVEL_SECURITY: 'maybe' }],
    ['DEFAULT_PLAN_TIER', { DEFAULT_PLAN_TIER: 'gold' }],
    ['FREE_TIER_MAX_WORKSPACES', { FREE_TIER_MAX_WORKSPACES: 'many' }],
    ['DEFAULT_RATE_LIMIT', { DEFAULT_RATE_LIMIT: '0' }],
    ['DEFAULT_TENANT_SLUG', { DEFAULT_TENANT_SLUG: 'Not A Slug' }],
    ['DEFAULT_WORKSPACE_ID', { DEFAULT_WORKSPACE_ID: '2' }],
    ['LOCI_RECALL_WEIGHTS', { LOCI_RECALL_WEIGHTS: 'vector' }],
    ['LOCI_RECALL_WEIGHTS', { LOCI_RECALL_WEIGHTS: 'vector=-1' }],
    ['LOCI_RECALL_WEIGHTS', { LOCI_RECALL_WEIGHTS: 'vector=1,vector=2' }],
    ['LOCI_TENANT_ISOLATION', { LOCI_TENANT_ISOLATION: 'hunter2' }],
    ['LOCI_TEST_SOMETHING', { LOCI_TEST_SOMETHING: '' }],
  ])('refuse a bad %s in one line that does not repeat the value: %j', (variable, env) => {
    const { message, variable: named } = refusal(env);
    expect(named).toBe(variable);
    expect(message.startsWith(`${variable} `)).toBe(true);
    expect(message).not.toContain('\n');
    const value = env[variable]?.trim() ?? '';
    if (value.length > 3) expect(message.slice(variable.length)).not.toContain(value);
    expect(message).not.toContain('hunter2');
  });

  it('leave the variables of the command line and of other programs alone', () => {
    expect(() =>
      parseSettings({ LOCI_URL: 'x', LOCI_API_KEY: 'y', PATH: '/bin', LOCATION: '1' }),
    ).not.toThrow();
  });

  it('come from .env too, and the real environment wins', () => {
    const folder = mkdtempSync(join(tmpdir(), 'loci-settings-'));
    try {
      const file = join(folder, '.env');
      writeFileSync(file, '# a comment\nPORT=9100\nHOST="0.0.0.0"\nLOG_LEVEL=debug # loud\n');
      const settings = parseSettings(readEnvironment(file, { PORT: '9200' }));
      expect(settings).toMatchObject({ port: 9200, host: '0.0.0.0', logLevel: 'debug' });
      expect(readEnvironment(join(folder, 'none'), { PORT: '1' })).toEqual({ PORT: '1' });
      expect(() => readEnvironment(folder, {})).toThrow(SettingsError);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('are all named in .env.example, and nothing else is', () => {
    const example = readFileSync(join(__dirname, '../../.env.example'), 'utf8');
    const named = [...example.matchAll(/^#? ?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name);
    expect(named.toSorted()).toEqual(settingNames().toSorted());
  });

  it('accept .env.example as it is', () => {
    expect(() => parseSettings(readEnvironment(join(__dirname, '../../.env.example'), {}))).not.toThrow();
  });
});
