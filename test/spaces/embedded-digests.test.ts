import Sqlite from 'better-sqlite3';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sameDigest } from '../../src/spaces/digest.js';
import { EmbeddedEngine } from '../../src/spaces/embedded/embedded-engine.js';
import type { SpaceAddress } from '../../src/spaces/projection.js';
import type { MemoryPoint, VectorSpace } from '../../src/spaces/vector-space.js';
import { ledgerOf, newAddress, newWorkspace } from '../contracts/engine-under-test.js';
import { clusteredVectors, point, seeded } from '../contracts/points.js';
import { applyItems } from '../contracts/projection.contract.js';

const MODEL = { name: 'digests', dimensions: 64 };
/** Enough for the words of the first to have gone from the tail into the postings. */
const MEMORIES = 700;

/** What the search of the embedded engine goes by is kept beside the memory: it counts as the memory's content. */
describe('the digest of a memory in a file', () => {
  let folder: string;
  let engine: EmbeddedEngine;
  let address: SpaceAddress;
  let space: VectorSpace;
  let items: MemoryPoint[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'loci-digests-'));
    engine = await EmbeddedEngine.start({ folder });
  });
  afterAll(async () => {
    await engine.close();
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    address = newAddress();
    space = engine.vectors.open(address, MODEL);
    const [workspace, vectors] = [newWorkspace(), clusteredVectors(MEMORIES, 64, 9, seeded(3))];
    items = vectors.map((vector, at) =>
      point(workspace, { revision: at + 1, text: `word${at % 9} tea`, vector, tags: ['a'] }),
    );
    await applyItems(space, ledgerOf(address), items);
  });

  const changed = async (): Promise<string[]> => {
    const held = new Map((await space.list()).map(({ id, digest }) => [id, digest]));
    return items
      .filter((item) => {
        const digest = held.get(item.id);
        return digest === undefined || !sameDigest(digest, space.digestOf(item));
      })
      .map(({ id }) => id);
  };
  const tamper = (sql: string): void => {
    const db = new Sqlite(join(folder, `${address.name}.db`));
    db.pragma('wal_autocheckpoint = 0');
    db.exec(sql);
    db.close();
  };

  it.each([
    [
      'a posting lost its last entry',
      'UPDATE v1_postings SET entries = substr(entries, 1, length(entries) - 4)',
    ],
    ['a posting was lost', 'DELETE FROM v1_postings'],
    ['a memory fell out of the tail', "INSERT INTO v1_tail SELECT key FROM v1_memories WHERE id = 'm1'"],
    ['a sign code was changed', "UPDATE v1_memories SET codes = zeroblob(length(codes)) WHERE id = 'm1'"],
    ['a length was changed', "UPDATE v1_memories SET alone_length = 9 WHERE id = 'm1'"],
    ['a vector is said to be missing', "UPDATE v1_memories SET has = 0 WHERE id = 'm1'"],
    ['a point is another one’s', "UPDATE v1_points SET id = 'm2' WHERE id = 'm1'"],
    ['a point was lost', "DELETE FROM v1_points WHERE id = 'm1'"],
  ])('is another one where %s', async (_, sql) => {
    expect(await changed()).toEqual([]);
    tamper(sql);
    expect(await changed()).not.toEqual([]);
  });
});
