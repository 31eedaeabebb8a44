import { execFile } from 'node:child_process';
import { chmod, mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cannotRun } from '../support/cannot-run.js';
import { withFalkorDb } from '../support/falkordb.js';
import { Load } from './load.js';
import { Palace } from './palace.js';
import { expectRecovered, report } from './recovery.js';

const run = promisify(execFile);
const TIME = 240_000;
const FULL_MS = 3_000;

/** A small disk: a file system in memory, of so many megabytes, mounted over a folder. */
class SmallDisk {
  private constructor(private readonly folder: string) {}

  /** Null where this process may not mount one. */
  static async mount(folder: string, megabytes: number): Promise<SmallDisk | null> {
    await mkdir(folder, { recursive: true });
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]);
    } catch {
      return null;
    }
    await chmod(folder, 0o711);
    return new SmallDisk(folder);
  }

  /** To the last byte. */
  async fill(): Promise<void> {
    for (let at = 0; ; at++) {
      const { bavail, bsize } = await statfs(this.folder);
      if (bavail === 0) return;
      // Whoever else writes may be quicker: then it is full all the same.
      await writeFile(this.ballast(at), Buffer.alloc(bavail * bsize)).catch(() => undefined);
    }
  }

  async free(): Promise<void> {
    for (let at = 0; at < 1_000; at++) await rm(this.ballast(at), { force: true });
  }

  async unmount(): Promise<void> {
    await run('umount', ['-l', this.folder]);
  }

  private ballast(at: number): string {
    return join(this.folder, `ballast-${at}`);
  }
}

async function drill(palace: Palace, what: string, disk: SmallDisk): Promise<Load> {
  const dwellers = [await palace.tenant(), await palace.tenant()];
  const load = new Load(dwellers);
  await load.acknowledges(20);
  await disk.fill();
  await new Promise((resume) => setTimeout(resume, FULL_MS));
  await disk.free();
  const endedAt = performance.now();
  await load.acknowledges(20);
  await load.stop();
  const took = await expectRecovered(palace, dwellers, load, endedAt);
  report(what, load, took);
  return load;
}

/** On a palace whose data folder, or this part of it, is a small disk. */
async function embeddedOn(
  part: string,
  megabytes: number,
  work: (palace: Palace, disk: SmallDisk) => Promise<void>,
) {
  let disk: SmallDisk | null = null;
  const palace = await Palace.embedded(async (data) => {
    disk = await SmallDisk.mount(join(data, part), megabytes);
  });
  await onDisk(palace, disk, work);
}

async function onDisk(
  palace: Palace,
  disk: SmallDisk | null,
  work: (palace: Palace, disk: SmallDisk) => Promise<void>,
): Promise<void> {
  try {
    // The closing words of the tests say so.
    if (disk === null) return cannotRun('A full disk: this user may not mount one (a tmpfs).');
    palace.beforeClose(() => disk.unmount());
    await work(palace, disk);
  } finally {
    await palace.close();
  }
}

describe('a full disk', () => {
  it(
    'below everything embedded: nothing is accepted that could not be kept, and all goes on once there is room',
    () =>
      embeddedOn('', 320, async (palace, disk) => {
        const load = await drill(palace, 'disk full below everything embedded', disk);
        expect(load.refused).toBeGreaterThan(0);
      }),
    TIME,
  );

  it(
    'below the embedded indexes alone: writes are accepted, recalls answered from the ledger',
    () =>
      embeddedOn('spaces', 16, async (palace, disk) => {
        const load = await drill(palace, 'disk full below the embedded indexes', disk);
        expect(load.unindexed).toBeGreaterThan(0);
      }),
    TIME,
  );

  withFalkorDb('below FalkorDB', () => {
    it(
      'writes are accepted, and the graph catches up once there is room',
      async () => {
        const palace = await Palace.onServers();
        const { server } = palace.servers.falkordb;
        await server.kill();
        const disk = await SmallDisk.mount(server.dataFolder, 8);
        await server.run();
        await onDisk(palace, disk, async () => {
          const load = disk === null ? null : await drill(palace, 'disk full below FalkorDB', disk);
          expect(load?.unindexed).toBeGreaterThan(0);
        });
      },
      TIME,
    );
  });
});
