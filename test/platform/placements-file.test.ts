import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SettingsError } from '../../src/platform/config/environment.js';
import { readPlacements } from '../../src/platform/config/placements-file.js';
import { parseSettings } from '../../src/platform/config/settings.js';

const QDRANT = { qdrant_url: 'http://qdrant-2:6333', qdrant_api_key: 'hunter2' };
const BOTH = { ...QDRANT, falkordb_url: 'falkor://:hunter2@graph-2:6379' };
const SERVERS = {
  DATABASE_URL: 'postgres://loci:pw@db:5432/loci',
  LOCI_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
  ADMIN_API_TOKEN: 'a'.repeat(40),
};

describe('the placements file', () => {
  let folder: string;
  let file: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'loci-placements-'));
    file = join(folder, 'placements.json');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const read = (content: unknown, env: Record<string, string> = {}) => {
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return readPlacements(parseSettings({ ...env, LOCI_PLACEMENTS: file }));
  };

  it('adds to the one that the other settings describe', () => {
    const plans = read(
      { second: BOTH, small: { max_hot_spaces: 200 } },
      { QDRANT_URL: 'http://qdrant:6333' },
    );
    expect(plans).toEqual([
      {
        name: 'shared',
        qdrant: { url: 'http://qdrant:6333', apiKey: null },
        falkordb: null,
        database: null,
        maxHotSpaces: null,
        served: true,
      },
      {
        name: 'second',
        qdrant: { url: 'http://qdrant-2:6333', apiKey: 'hunter2' },
        falkordb: { url: 'falkor://:hunter2@graph-2:6379' },
        database: null,
        maxHotSpaces: null,
        served: true,
      },
      { name: 'small', qdrant: null, falkordb: null, database: null, maxHotSpaces: 200, served: true },
    ]);
  });

  it('may say what is shared, too', () => {
    expect(read({ shared: BOTH }).map(({ name, maxHotSpaces }) => [name, maxHotSpaces])).toEqual([
      ['shared', null],
    ]);
  });

  it('serves all of them, or those that are named', () => {
    const env = { LOCI_SERVE_PLACEMENTS: 'second , second' };
    const served = (plans: { name: string; served: boolean }[]) =>
      plans.map(({ name, served }) => [name, served]);
    expect(served(read({ second: {}, third: {} }))).toEqual([
      ['shared', true],
      ['second', true],
      ['third', true],
    ]);
    expect(served(read({ second: {}, third: {} }, env))).toEqual([
      ['shared', false],
      ['second', true],
      ['third', false],
    ]);
    expect(() => read({ third: {} }, env)).toThrow(/^LOCI_SERVE_PLACEMENTS names a placement/);
    expect(() => read({ third: {} }, { LOCI_SERVE_PLACEMENTS: 'third,' })).toThrow(
      /^LOCI_SERVE_PLACEMENTS must be names/,
    );
  });

  it.each<[string, unknown]>([
    ['no JSON', '{'],
    ['a list', []],
    ['a name that is none', { 'Not A Name': {} }],
    ['a placement that is no object', { second: 'http://hunter2' }],
    ['an unknown member', { second: { qdrant: 'http://hunter2' } }],
    ['an address of another kind', { second: { qdrant_url: 'redis://hunter2' } }],
    ['a database of another kind', { second: { database_url: 'mysql://u:hunter2@db/loci' } }],
    ['a database called as the main one', { main: { database_url: 'postgres://u:hunter2@db/loci' } }],
    ['a key without a server', { second: { qdrant_api_key: 'hunter2' } }],
    ['a limit of nothing', { second: { max_hot_spaces: 0 } }],
    ['half a placement', { second: { max_hot_spaces: 1.5 } }],
  ])('is refused with %s, in words that repeat no secret', (_, content) => {
    expect(() => read(content)).toThrow(SettingsError);
    expect(() => read(content)).toThrow(/^LOCI_PLACEMENTS (?!.*hunter2)/);
  });

  it.each(['api', 'worker'])('must name both servers everywhere for the role %s', (LOCI_ROLE) => {
    const env = { ...SERVERS, LOCI_ROLE };
    expect(() => read({ shared: BOTH, second: QDRANT }, env)).toThrow('must give second both servers');
    expect(() => read({ second: BOTH }, env)).toThrow('must give shared both servers');
    expect(read({ shared: BOTH }, env)).toHaveLength(1);
    // What it does not serve may be embedded in another process.
    expect(read({ shared: BOTH, second: {} }, { ...env, LOCI_SERVE_PLACEMENTS: 'shared' })).toHaveLength(2);
    expect(() => read({ shared: BOTH }, { LOCI_ROLE })).toThrow(/^LOCI_ROLE /);
  });
});
