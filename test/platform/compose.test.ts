import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseServerAddress } from '../../src/spaces/falkordb/server-address.js';
import { parseSettings, settingNames } from '../../src/platform/config/settings.js';

interface Compose {
  services: Record<
    string,
    {
      image?: string;
      environment?: Record<string, string>;
      healthcheck?: object;
      build?: string;
      volumes?: string[];
    }
  >;
}

// It comes with @nestjs/swagger, without types.
const { load } = jest.requireActual<{ load(text: string): unknown }>('js-yaml');

const text = readFileSync(join(__dirname, '../../docker-compose.yml'), 'utf8');
const { services } = load(text) as Compose;
const dockerfile = readFileSync(join(__dirname, '../../Dockerfile'), 'utf8');

describe('docker-compose.yml', () => {
  it('gives Loci settings that exist and that it starts with', () => {
    const environment = services['loci']?.environment ?? {};
    const known = settingNames();
    expect(Object.keys(environment).filter((name) => !known.includes(name))).toEqual([]);
    const secrets: Record<string, string> = {
      ADMIN_API_TOKEN: 'ab'.repeat(32),
      LOCI_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
      DATABASE_PASSWORD: 'cd'.repeat(24),
      QDRANT_API_KEY: 'ef'.repeat(24),
      FALKORDB_PASSWORD: '01'.repeat(24),
    };
    const filled = Object.entries(environment).map(([name, value]) => [
      name,
      value.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, variable: string, sign: string, other: string) => {
        return secrets[variable] ?? (sign === '-' ? other : `no value for ${variable}`);
      }),
    ]);
    const settings = parseSettings(Object.fromEntries(filled) as Record<string, string>);
    expect(settings).toMatchObject({ mode: 'production', role: 'all' });
    expect(settings.databaseUrl).toContain('@postgres:5432/loci');
    expect(settings.qdrant).toEqual({ url: 'http://qdrant:6333', apiKey: secrets['QDRANT_API_KEY'] });
    expect(parseServerAddress(settings.falkordb?.url ?? '')).toMatchObject({
      host: 'falkordb',
      operator: { username: null, password: secrets['FALKORDB_PASSWORD'] },
    });
  });

  it('gives Loci no superuser of PostgreSQL, and never the superuser’s password', () => {
    const { environment = {}, volumes = [] } = services['postgres'] ?? {};
    expect(environment).not.toHaveProperty('POSTGRES_USER');
    expect(JSON.stringify(services['loci'])).not.toContain('POSTGRES_PASSWORD');
    const mounted = volumes.find((volume) => volume.includes('/docker-entrypoint-initdb.d/'));
    const script = readFileSync(join(__dirname, '../..', mounted?.split(':')[0] ?? ''), 'utf8');
    expect(script).toMatch(/CREATE ROLE loci LOGIN NOSUPERUSER CREATEROLE .*NOBYPASSRLS/);
  });

  it('pins every image and watches every server', () => {
    expect(Object.keys(services).toSorted()).toEqual(['falkordb', 'loci', 'postgres', 'qdrant']);
    for (const [name, { image, healthcheck, build }] of Object.entries(services)) {
      if (build !== undefined) continue;
      expect([name, image]).toEqual([name, expect.stringMatching(/:v?\d+\.\d+[^:]*$/)]);
      expect([name, healthcheck]).toEqual([name, expect.any(Object)]);
    }
    expect(dockerfile).toMatch(/^HEALTHCHECK/m);
  });

  it('has no secret of its own: each must be given', () => {
    for (const [, name, fallback] of text.matchAll(
      /^[^#\n]*\$\{(\w*(?:PASSWORD|MASTER_KEY|ADMIN_API_TOKEN|QDRANT_API_KEY))(.*?)\}/gm,
    )) {
      expect([name, fallback]).toEqual([name, expect.stringMatching(/^:\?./)]);
    }
  });
});

describe('the Dockerfile', () => {
  it('runs the built server as nobody special', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    expect(last).toMatch(/^USER node$/m);
    expect(last).toMatch(/^CMD \["node", "dist\/main\.js"\]$/m);
    expect(last).not.toMatch(/npm (?:ci|install)/);
  });

  it('sets only settings that exist', () => {
    const set = [...dockerfile.matchAll(/(?:^ENV |^ {4})([A-Z_]+)=/gm)].map(([, name]) => name ?? '');
    expect(set.length).toBeGreaterThan(2);
    // The last is the C library's.
    expect(set.filter((name) => !settingNames().includes(name))).toEqual(['MALLOC_ARENA_MAX']);
  });
});
