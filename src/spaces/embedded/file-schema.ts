import type { Database } from 'better-sqlite3';
import { TERMS_VERSION } from '../words/terms-version.js';

/** 'LOCI': a file that carries another mark is not ours. */
export const APPLICATION_ID = 0x4c4f4349;
/** A file of another version is discarded and built again from the ledger: there are no migrations here. */
const SCHEMA_VERSION = 3;
/** Of the tables, and of the terms in them. */
export const FILE_VERSION = SCHEMA_VERSION * 1_000 + TERMS_VERSION;

/**
 * What every file has. Projections keep their tables beside each other: `v1_…` for the first model, and the graph's.
 *
 * `checkpoints` and `last_write` tell whether the write-ahead log beside the file belongs to it (`tenant-file.ts`);
 * they are two tables because they must lie on two pages.
 */
export function createFileTables(db: Database, firstCheckpoint: number): void {
  db.exec(`
    CREATE TABLE checkpoints (number INTEGER NOT NULL);
    CREATE TABLE last_write (based_on INTEGER NOT NULL);
    INSERT INTO checkpoints VALUES (${firstCheckpoint});
    INSERT INTO last_write VALUES (${firstCheckpoint});
    CREATE TABLE workspaces (number INTEGER PRIMARY KEY, workspace TEXT NOT NULL UNIQUE);
    CREATE TABLE models (
      slot INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      dimensions INTEGER NOT NULL,
      ledger TEXT NOT NULL,
      revision INTEGER NOT NULL,
      UNIQUE (name, dimensions)
    );
    CREATE TABLE graph (ledger TEXT NOT NULL, revision INTEGER NOT NULL);
    PRAGMA application_id = ${APPLICATION_ID};
    PRAGMA user_version = ${FILE_VERSION};
  `);
}

/**
 * The tables of one model. A memory's key is its workspace's number times 2^32 plus its place in that workspace,
 * so that a workspace is one range of keys and a place is an index into arrays in memory.
 */
export function createVectorTables(db: Database, slot: number): void {
  const t = `v${slot}`;
  db.exec(`
    CREATE TABLE ${t}_memories (
      key INTEGER PRIMARY KEY,
      ws INTEGER NOT NULL,
      id TEXT NOT NULL,
      revision INTEGER NOT NULL,
      type TEXT NOT NULL,
      timestamp INTEGER NOT NULL,
      valid_from INTEGER,
      valid_until INTEGER,
      session TEXT,
      "user" TEXT,
      agent TEXT,
      alone_length INTEGER NOT NULL,
      joined_length INTEGER,
      has INTEGER NOT NULL,
      speaker TEXT,
      asked INTEGER NOT NULL,
      importance INTEGER NOT NULL,
      confidence INTEGER NOT NULL,
      codes BLOB
    );
    CREATE UNIQUE INDEX ${t}_identity ON ${t}_memories (ws, id);
    CREATE TABLE ${t}_points (key INTEGER PRIMARY KEY, id TEXT NOT NULL, alone BLOB, joined BLOB, terms BLOB NOT NULL);
    CREATE TABLE ${t}_tags (tag TEXT, key INTEGER, PRIMARY KEY (tag, key)) WITHOUT ROWID;
    CREATE INDEX ${t}_tags_of ON ${t}_tags (key);
    CREATE TABLE ${t}_postings (
      ws INTEGER, term INTEGER, block INTEGER, entries BLOB NOT NULL, PRIMARY KEY (ws, term, block)
    ) WITHOUT ROWID;
    CREATE TABLE ${t}_tail (key INTEGER PRIMARY KEY);
    CREATE TABLE ${t}_vacant (key INTEGER PRIMARY KEY);
    CREATE TABLE ${t}_tombstones (
      ws INTEGER, id TEXT, revision INTEGER NOT NULL, PRIMARY KEY (ws, id)
    ) WITHOUT ROWID;
  `);
}

const VECTOR_TABLES = ['memories', 'points', 'tags', 'postings', 'tail', 'vacant', 'tombstones'];

export function emptyVectorTables(db: Database, slot: number): void {
  db.exec(VECTOR_TABLES.map((table) => `DELETE FROM v${slot}_${table};`).join('\n'));
}

export function dropVectorTables(db: Database, slot: number): void {
  db.exec(VECTOR_TABLES.map((table) => `DROP TABLE v${slot}_${table};`).join('\n'));
}

/**
 * Edges keep the names of their ends, not references: an end may arrive in a later batch. Their indexes are in the order in
 * which walks take them, so that of a memory with very many only the first are read, and from the index alone. An entity
 * is there while a memory that is there mentions it, and no longer: it is what its mentions have in common.
 */
export function createGraphTables(db: Database): void {
  db.exec(`
    CREATE TABLE IF NOT EXISTS nodes (
      ws INTEGER, id TEXT, revision INTEGER NOT NULL, PRIMARY KEY (ws, id)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS edges (
      ws INTEGER, id TEXT, revision INTEGER NOT NULL, type TEXT NOT NULL,
      source TEXT NOT NULL, target TEXT NOT NULL, strength REAL NOT NULL, PRIMARY KEY (ws, id)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS edges_out ON edges (ws, source, strength DESC, target, id, type);
    CREATE INDEX IF NOT EXISTS edges_in ON edges (ws, target, strength DESC, source, id, type);
    CREATE TABLE IF NOT EXISTS mentions (
      ws INTEGER, id TEXT, entity TEXT, PRIMARY KEY (ws, id, entity)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS mentions_of ON mentions (ws, entity, id);
    CREATE VIEW IF NOT EXISTS entities AS
      SELECT ws, entity AS id, count(*) AS mentions FROM mentions GROUP BY ws, entity;
    CREATE TABLE IF NOT EXISTS graph_tombstones (
      kind TEXT, ws INTEGER, id TEXT, revision INTEGER NOT NULL, PRIMARY KEY (kind, ws, id)
    ) WITHOUT ROWID;
  `);
}

export function emptyGraphTables(db: Database): void {
  db.exec('DELETE FROM nodes; DELETE FROM edges; DELETE FROM mentions; DELETE FROM graph_tombstones;');
}
