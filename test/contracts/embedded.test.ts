import Sqlite from 'better-sqlite3';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedEngine } from '../../src/spaces/embedded/embedded-engine.js';
import { graphEntitiesContract } from './graph-entities.contract.js';
import { graphSpaceContract, type SpoiltEdge, type SpoiltMention } from './graph-space.contract.js';
import { graphWalksContract } from './graph-walks.contract.js';
import { vectorSpaceContract, type Spoilt } from './vector-space.contract.js';

async function embedded<Part extends 'vectors' | 'graphs'>(part: Part) {
  const folder = mkdtempSync(join(tmpdir(), 'loci-spaces-'));
  const engine = await EmbeddedEngine.start({ folder, maxOpen: 4 });
  const fileOf = ({ name }: { name: string }) => join(folder, `${name}.db`);
  return {
    engine: engine[part],
    fileOf,
    holds: (address: { name: string }) => Promise.resolve(existsSync(fileOf(address))),
    close: async () => {
      await engine.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** As somebody else's connection to the file, while the engine has it open. */
function behindItsBack(path: string, work: (db: Sqlite.Database) => void): Promise<void> {
  const db = new Sqlite(path, { fileMustExist: true });
  try {
    db.pragma('wal_autocheckpoint = 0');
    work(db);
  } finally {
    db.close();
  }
  return Promise.resolve();
}

function spoil(db: Sqlite.Database, id: string, what: Spoilt): void {
  const key = db.prepare('SELECT key FROM v1_memories WHERE id = ?').pluck().get(id) as number;
  const numbers = (column: string): Buffer =>
    db.prepare(`SELECT ${column} FROM v1_points WHERE key = ?`).pluck().get(key) as Buffer;
  const put = (column: string, value: Buffer) =>
    db.prepare(`UPDATE v1_points SET ${column} = ? WHERE key = ?`).run(value, key);
  const flipped = (vector: Buffer): Buffer => {
    vector.writeFloatLE(-vector.readFloatLE(0), 0);
    return vector;
  };
  const set = (change: string) => db.prepare(`UPDATE v1_memories SET ${change} WHERE key = ?`).run(key);
  const spoilers: Record<Spoilt, () => unknown> = {
    vector: () => put('alone', flipped(numbers('alone'))),
    'joined vector': () => put('joined', flipped(numbers('joined'))),
    word: () => put('terms', numbers('terms').subarray(8)),
    'joined word': () => put('terms', numbers('terms').subarray(0, -8)),
    type: () => set("type = 'Other'"),
    tag: () => db.prepare("DELETE FROM v1_tags WHERE key = ? AND tag = 'habits'").run(key),
    time: () => set('timestamp = timestamp + 1'),
    session: () => set('session = NULL'),
  };
  spoilers[what]();
}

const SPOILT_EDGES: Record<SpoiltEdge, string> = {
  strength: 'strength = 0.25',
  type: "type = 'OTHER'",
  end: "target = 'c'",
};

const SPOILT_MENTIONS: Record<SpoiltMention, string> = {
  missing: "DELETE FROM mentions WHERE id = ? AND entity = 'people:x'",
  surplus: "INSERT INTO mentions SELECT ws, id, 'people:x' FROM nodes WHERE id = ?",
};

vectorSpaceContract(
  'embedded',
  async () => {
    const made = await embedded('vectors');
    return {
      ...made,
      spoil: (address, id, what) => behindItsBack(made.fileOf(address), (db) => spoil(db, id, what)),
    };
  },
  { exactScores: true, modelsSideBySide: true },
);
graphSpaceContract(
  'embedded',
  async () => {
    const made = await embedded('graphs');
    return {
      ...made,
      spoil: (address, _, id, what) =>
        behindItsBack(made.fileOf(address), (db) => {
          db.prepare(`UPDATE edges SET ${SPOILT_EDGES[what]} WHERE id = ?`).run(id);
        }),
      spoilMention: (address, _, id, what) =>
        behindItsBack(made.fileOf(address), (db) => {
          db.prepare(SPOILT_MENTIONS[what]).run(id);
        }),
    };
  },
  { exactStrengths: true },
);
graphWalksContract('embedded', () => embedded('graphs'));
graphEntitiesContract('embedded', () => embedded('graphs'));
