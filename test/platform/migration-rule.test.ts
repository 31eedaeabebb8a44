import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrationFaults } from '../support/migration-faults.js';

/** Files before this number were written before anybody ran Loci: no server of before them has to go on beside them. */
const RULED_FROM = '1763791000100';
const migrations = join(__dirname, '../../migrations');
const later = join(__dirname, 'later-migrations');

describe('the rule for migrations', () => {
  const faultsIn = (folder: string, file: string): string[] =>
    migrationFaults(readFileSync(join(folder, file), 'utf8')).map((fault) => `${file}: ${fault}`);

  it(`is kept by every migration from ${RULED_FROM} on`, () => {
    const ruled = readdirSync(migrations).filter((file) => file >= RULED_FROM);
    expect(ruled.flatMap((file) => faultsIn(migrations, file))).toEqual([]);
  });

  it('is kept by the files with which migrating under traffic is tried', () => {
    expect(readdirSync(later).flatMap((file) => faultsIn(later, file))).toEqual([]);
  });

  it('finds in the files from before it what it is there for', () => {
    const faults = readdirSync(migrations)
      .filter((file) => file < RULED_FROM)
      .flatMap((file) => faultsIn(migrations, file));
    expect(faults.length).toBeGreaterThan(5);
  });

  it.each([
    ['ALTER TABLE memories DROP COLUMN type;', 'older code'],
    ['ALTER TABLE memories RENAME COLUMN type TO kind;', 'older code'],
    ['ALTER TABLE memories RENAME TO things;', 'older code'],
    ['DROP TABLE memories;', 'older code'],
    ['ALTER TABLE memories ADD COLUMN kind text NOT NULL;', 'default'],
    ['ALTER TABLE memories ADD COLUMN a text, ADD COLUMN b text NOT NULL;', 'default'],
    ['ALTER TABLE memories ADD COLUMN other uuid NOT NULL DEFAULT gen_random_uuid();', 'rewrites'],
    ['ALTER TABLE memories ADD COLUMN kind text CHECK (kind IS NOT NULL);', 'NOT VALID'],
    ['ALTER TABLE memories ALTER COLUMN type TYPE varchar(64);', 'rewrites'],
    ['ALTER TABLE memories ALTER COLUMN user_id SET NOT NULL;', 'shuts readers out'],
    ['ALTER TABLE memories ADD CONSTRAINT typed CHECK (type IS NOT NULL);', 'NOT VALID'],
    ['CREATE INDEX memories_x ON memories (type);', 'CONCURRENTLY'],
    ['CREATE INDEX CONCURRENTLY memories_x ON memories (type);', 'one by one'],
    ['-- one by one\nCREATE INDEX CONCURRENTLY memories_x ON memories (type);', 'run again'],
    ['-- one by one\nALTER TABLE memories ADD COLUMN kind text;', 'needs no file'],
    ['DROP INDEX memories_newest;', 'CONCURRENTLY'],
    ['UPDATE memories SET type = NULL;', 'job'],
    ['INSERT INTO followers SELECT id FROM tenants;', 'a new row for each tenant'],
    ['LOCK TABLE memories;', 'shuts'],
    ['SET lock_timeout = 0;', 'lock_timeout'],
    [
      'ALTER TABLE m ADD CONSTRAINT c CHECK (a > 0) NOT VALID;\nALTER TABLE m VALIDATE CONSTRAINT c;',
      'a file of its own',
    ],
  ])('refuses %s', (sql, why) => {
    expect(migrationFaults(sql)).toContainEqual(expect.stringContaining(why));
  });

  it.each([
    '-- unused since 0.3.0\nALTER TABLE memories DROP COLUMN kind;',
    '-- a new row for each tenant\nINSERT INTO followers SELECT id FROM tenants;',
    'ALTER TABLE memories ADD COLUMN kind text;',
    'ALTER TABLE memories ADD COLUMN pinned boolean NOT NULL DEFAULT false;',
    'ALTER TABLE memories ADD CONSTRAINT typed CHECK (type IS NOT NULL) NOT VALID;',
    'ALTER TABLE memories ALTER COLUMN features DROP NOT NULL;',
    'CREATE TABLE notes (id uuid PRIMARY KEY);\nCREATE INDEX notes_x ON notes (id);\nALTER TABLE notes ADD CONSTRAINT c CHECK (true);',
    'GRANT SELECT ON memories TO loci_tenant;',
  ])('allows %s', (sql) => {
    expect(migrationFaults(sql)).toEqual([]);
  });
});
