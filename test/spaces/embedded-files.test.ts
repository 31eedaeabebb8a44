import Sqlite from 'better-sqlite3';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedEngine } from '../../src/spaces/embedded/embedded-engine.js';
import { FILE_VERSION } from '../../src/spaces/embedded/file-schema.js';
import type { SpaceAddress } from '../../src/spaces/projection.js';
import { SpaceUnavailable } from '../../src/spaces/space-errors.js';
import type { VectorSpace } from '../../src/spaces/vector-space.js';
import type { SpaceName } from '../../src/tenancy/tenant.js';
import { ledgerOf, newAddress, newWorkspace } from '../contracts/engine-under-test.js';
import { clusteredVectors, point, question, seeded, unit } from '../contracts/points.js';
import { applyItems, EMPTY } from '../contracts/projection.contract.js';

const MODEL = { name: 'files', dimensions: 64 };
const workspace = newWorkspace();

describe('the embedded files', () => {
  let folder: string;
  let engine: EmbeddedEngine;
  let address: SpaceAddress;
  let space: VectorSpace;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'loci-files-'));
    engine = await EmbeddedEngine.start({ folder, maxOpen: 4 });
    address = newAddress();
    space = engine.vectors.open(address, MODEL);
  });
  afterEach(async () => {
    await engine.close();
    rmSync(folder, { recursive: true });
  });

  const fileOf = ({ name }: SpaceAddress): string => join(folder, `${name}.db`);
  const hold = (count: number, from = 1): Promise<unknown> =>
    applyItems(space, ledgerOf(address), somePoints(count, from));
  const found = async (text: string): Promise<string[]> =>
    (await space.search(question(workspace, { text, limit: 500 }))).map(({ id }) => id);
  const restart = async (): Promise<void> => {
    await engine.close();
    engine = await EmbeddedEngine.start({ folder, maxOpen: 4 });
    space = engine.vectors.open(address, MODEL);
  };

  it('can be read by nobody else', async () => {
    await hold(3);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('survive a restart, and leave no log behind', async () => {
    await hold(600);
    await restart();
    expect(readdirSync(folder)).toEqual([`${address.name}.db`]);
    expect(await space.watermark()).toEqual({ ledger: ledgerOf(address), revision: 600 });
    expect(await found('word7')).toContain('m7');
    await hold(1, 601);
    expect(await found('word601')).toContain('m601');
  });

  it('count as empty once deleted, also while they are open', async () => {
    await hold(3);
    expect(await found('word2')).toEqual(['m2']);
    rmSync(fileOf(address));
    expect(await space.watermark()).toEqual(EMPTY);
    expect(await found('word2')).toEqual([]);
    expect(existsSync(fileOf(address))).toBe(false);
    await hold(2);
    expect(await found('word2')).toEqual(['m2']);
  });

  it('count as empty once the whole folder was emptied', async () => {
    await hold(3);
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    expect(await space.watermark()).toEqual(EMPTY);
    await hold(1);
    expect(await space.count()).toBe(1);
  });

  it('go back to what an older copy holds when one takes their place', async () => {
    await hold(3);
    await restart();
    copyFileSync(fileOf(address), join(folder, 'older'));
    await hold(5, 4);
    expect(await found('word8')).toEqual(['m8']);
    renameSync(join(folder, 'older'), fileOf(address));
    expect(await space.watermark()).toEqual({ ledger: ledgerOf(address), revision: 3 });
    expect(await found('word8')).toEqual([]);
    expect(await found('word2')).toEqual(['m2']);
    await hold(5, 4);
    expect(await found('word8')).toEqual(['m8']);
  });

  it('are discarded when another copy was written over them while they were open', async () => {
    await hold(3);
    await restart();
    const older = readFileSync(fileOf(address));
    await hold(5, 4);
    writeFileSync(fileOf(address), older);
    expect(await space.watermark()).toEqual(EMPTY);
    await hold(8);
    expect(await space.count()).toBe(8);
  });

  it('are no mix of two where another copy was written over them and nobody looked before the end', async () => {
    await hold(3);
    await restart();
    const older = readFileSync(fileOf(address));
    await hold(5, 4);
    writeFileSync(fileOf(address), older);
    await restart();
    expect(await space.watermark()).toEqual(EMPTY);
  });

  it('are discarded where the log beside them belongs to a later copy', async () => {
    await hold(3);
    await restart();
    const older = readFileSync(fileOf(address));
    // Enough for the log to be moved into the file, and started anew, at least twice.
    for (let revision = 4; revision < 12_000; revision += 1_000) await hold(1_000, revision);
    const log = readFileSync(`${fileOf(address)}-wal`);
    expect(log.length).toBeGreaterThan(0);
    await engine.close();
    // As a crash would leave it, and then somebody puts an old copy back.
    writeFileSync(`${fileOf(address)}-wal`, log);
    engine = await EmbeddedEngine.start({ folder });
    space = engine.vectors.open(address, MODEL);
    writeFileSync(fileOf(address), older);
    expect(await space.watermark()).toEqual(EMPTY);
  });

  it.each<[string, (path: string) => void]>([
    ['garbage', (path) => writeFileSync(path, Buffer.alloc(20_000, 'nonsense '))],
    ['nothing', (path) => truncateSync(path, 0)],
    ['half of itself', (path) => truncateSync(path, Math.floor(statSync(path).size / 8192) * 4096)],
    ["another program's database", (path) => mangle(path, 68, 4)],
    ['garbage inside', (path) => mangle(path, 4096, statSync(path).size - 4096)],
  ])('are discarded and built again where they hold %s', async (_, spoil) => {
    await hold(300);
    await engine.close();
    spoil(fileOf(address));
    engine = await EmbeddedEngine.start({ folder });
    space = engine.vectors.open(address, MODEL);
    await expect(found('word7')).resolves.toEqual([]);
    expect(await space.watermark()).toEqual(EMPTY);
    await hold(300);
    expect(await found('word7')).toContain('m7');
  });

  it.each(['garbage', 'nothing'])('are discarded where they become %s while they are open', async (what) => {
    await hold(300);
    if (what === 'garbage') writeFileSync(fileOf(address), Buffer.alloc(50_000, 'nonsense '));
    else truncateSync(fileOf(address), 0);
    expect(await space.watermark()).toEqual(EMPTY);
    expect(await found('word7')).toEqual([]);
    await hold(2);
    expect(await space.count()).toBe(2);
  });

  it('keep the state before a batch in whose middle the thread died', async () => {
    await hold(100);
    const dying = hold(5_000, 101);
    const failed = expect(dying).rejects.toBeInstanceOf(SpaceUnavailable);
    const log = `${fileOf(address)}-wal`;
    const before = statSync(log).size;
    // The log grows once the transaction no longer fits its cache: it is under way.
    while (statSync(log).size === before) await new Promise((resolve) => setImmediate(resolve));
    await engine.threads.kill(address.name);
    await failed;
    expect(await space.watermark()).toEqual({ ledger: ledgerOf(address), revision: 100 });
    expect(await space.count()).toBe(100);
    await hold(50, 101);
    expect(await found('word150')).toEqual(['m150']);
  });

  it('are closed, the least recently used first, where too many are open', async () => {
    const spaces = Array.from({ length: 30 }, () => newAddress());
    for (const one of spaces) {
      await applyItems(engine.vectors.open(one, MODEL), ledgerOf(one), somePoints(3, 1));
    }
    // A closed file has no log: four are open, two for each thread.
    expect(readdirSync(folder).filter((name) => name.endsWith('-wal')).length).toBeLessThanOrEqual(4);
    for (const one of spaces) {
      const results = await engine.vectors.open(one, MODEL).search(question(workspace, { text: 'word2' }));
      expect(results.map(({ id }) => id)).toEqual(['m2']);
    }
  });

  it('are never reached by a name that is none', async () => {
    for (const name of [
      'memories_../x',
      'other',
      'memories_',
      'memories_A',
      'memories_a/b',
      'memories_a\n',
    ]) {
      const odd = engine.vectors.open({ ...address, name: name as SpaceName }, MODEL);
      await expect(odd.watermark()).rejects.toThrow(RangeError);
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  it('are built again where their texts have other terms', async () => {
    await hold(2);
    await engine.close();
    const older = new Sqlite(fileOf(address));
    expect(older.pragma('user_version', { simple: true })).toBe(FILE_VERSION);
    older.exec(`DELETE FROM v1_postings; PRAGMA user_version = ${FILE_VERSION - 1};`);
    older.close();
    await restart();
    expect(await space.watermark()).toEqual(EMPTY);
    await hold(2);
    expect(await found('word2')).toEqual(['m2']);
  });

  it('are built again where they are of a format without entities', async () => {
    const graph = () => engine.graphs.open(address);
    const words = { type: 'Context', importance: 1, timestamp: 1, entities: ['people:x'] };
    const node = { kind: 'memory', workspace, id: 'a', revision: 1, gone: false, ...words } as const;
    await hold(2);
    await applyItems(graph(), ledgerOf(address), [node]);
    await engine.close();
    const older = new Sqlite(fileOf(address));
    older.exec('DROP VIEW entities; DROP TABLE mentions; PRAGMA user_version = 2;');
    older.close();
    await restart();
    expect(await graph().watermark()).toEqual(EMPTY);
    await applyItems(graph(), ledgerOf(address), [node]);
    expect(await graph().count()).toEqual({ nodes: 1, relationships: 0, entities: 1, mentions: 1 });
    await hold(2);
    expect(await found('word2')).toEqual(['m2']);
  });

  it('answer nothing once the engine is closed', async () => {
    await hold(1);
    await engine.close();
    await expect(space.watermark()).rejects.toBeInstanceOf(SpaceUnavailable);
    await engine.close();
  });

  it('hold graph and vectors side by side: dropping one projection leaves the other', async () => {
    const graph = engine.graphs.open(address);
    const node = { kind: 'memory', workspace, id: 'a', revision: 1, gone: false } as const;
    await hold(2);
    await applyItems(graph, ledgerOf(address), [
      { ...node, type: 'Context', importance: 1, timestamp: 1, entities: [] },
    ]);
    await space.drop();
    expect(await graph.count()).toMatchObject({ nodes: 1, relationships: 0 });
    expect(await space.watermark()).toEqual(EMPTY);
    await hold(2);
    await graph.drop();
    expect(await space.count()).toBe(2);
    await space.drop();
    expect(existsSync(fileOf(address))).toBe(false);
  });

  it('find with codes and rescoring what an exact scan finds', async () => {
    const model = { name: 'as long as MiniLM', dimensions: 384 };
    space = engine.vectors.open(address, model);
    const vectors = clusteredVectors(5_010, model.dimensions, 60, seeded(11));
    const items = vectors.slice(0, 5_000).map((vector, at) => point(workspace, { revision: at + 1, vector }));
    for (let at = 0; at < items.length; at += 1_000) {
      await applyItems(space, ledgerOf(address), items.slice(at, at + 1_000));
    }
    let hits = 0;
    // Questions from the same subjects, and none that is stored.
    for (const asked of vectors.slice(5_000)) {
      const cosine = (vector: Float32Array): number =>
        vector.reduce((sum, value, at) => sum + value * (asked[at] ?? 0), 0);
      const exact = items
        .map(({ id, alone }) => ({ id, score: alone.vector === null ? -1 : cosine(alone.vector) }))
        .sort((a, b) => b.score - a.score)
        .slice(0, 10);
      const results = await space.search(question(workspace, { vector: unit(asked), limit: 10 }));
      hits += exact.filter(({ id }) => results.some((one) => one.id === id)).length;
      for (const one of results) {
        const stored = items.find(({ id }) => id === one.id)?.alone.vector;
        expect(one.vector.alone).toBeCloseTo(cosine(stored ?? asked), 4);
      }
    }
    expect(hits / 100).toBeGreaterThanOrEqual(0.97);
  }, 120_000);

  it('give the same scores with hardly any memory for vectors as from the file', async () => {
    await engine.close();
    engine = await EmbeddedEngine.start({ folder, workers: 1, vectorMegabytes: 0.1 });
    const [asked = new Float32Array(64), ...vectors] = clusteredVectors(401, MODEL.dimensions, 9, seeded(3));
    const spaces = [newAddress(), newAddress()].map((one) => ({
      open: engine.vectors.open(one, MODEL),
      ledger: ledgerOf(one),
    }));
    const expected = new Map(
      vectors.map((vector, at) => [`m${at + 1}`, vector.reduce((sum, x, i) => sum + x * (asked[i] ?? 0), 0)]),
    );
    for (const { open, ledger } of spaces) {
      await applyItems(
        open,
        ledger,
        vectors.map((vector, at) => point(workspace, { revision: at + 1, vector })),
      );
    }
    for (let round = 0; round < 3; round++) {
      for (const { open } of spaces) {
        const results = await open.search(question(workspace, { vector: asked, limit: 400 }));
        expect(results).toHaveLength(400);
        for (const { id, vector } of results) {
          expect(vector.alone).toBeCloseTo(expected.get(id) ?? Number.NaN, 4);
        }
      }
    }
  });

  it('score text the same before and after it moves from the tail into the postings', async () => {
    await hold(500);
    const before = await space.search(question(workspace, { text: 'tea word7 word8', limit: 10 }));
    // 13 more of a sibling's workspace move nothing; 13 more of this one do.
    await hold(13, 501);
    const after = await space.search(question(workspace, { text: 'tea word7 word8', limit: 10 }));
    expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    const [first] = before;
    expect(after[0]?.text.alone).toBeCloseTo(first?.text.alone ?? Number.NaN, 1);
    await applyItems(space, ledgerOf(address), [{ workspace, id: 'm7', revision: 600, gone: true }]);
    expect(await found('word7')).toEqual([]);
    await applyItems(space, ledgerOf(address), [
      point(workspace, { id: 'new', revision: 601, text: 'word7' }),
    ]);
    expect(await found('word7')).toEqual(['new']);
    await restart();
    expect(await found('word7')).toEqual(['new']);
    expect(await found('word8')).toEqual(['m8']);
  });
});

function somePoints(count: number, from: number): ReturnType<typeof point>[] {
  const vectors = clusteredVectors(Math.min(count, 50), MODEL.dimensions, 5, seeded(from));
  return Array.from({ length: count }, (_, at) => {
    const revision = from + at;
    return point(workspace, {
      revision,
      text: `tea word${revision}`,
      vector: vectors[at % vectors.length] ?? null,
    });
  });
}

function mangle(path: string, start: number, length: number): void {
  const bytes = readFileSync(path);
  bytes.fill(0xa5, start, start + length);
  writeFileSync(path, bytes);
}
