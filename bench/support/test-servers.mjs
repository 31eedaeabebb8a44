import { transformFile } from '@swc/core';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { ROOT } from './server.mjs';

/** Beside the packages that they need. */
const BUILT = join(ROOT, 'node_modules', '.cache', `loci-bench-${process.pid}`);

/** The servers that the tests bring: a real FalkorDB, and the stand-in for Qdrant. */
export class TestServers {
  #stops = [() => rmSync(BUILT, { recursive: true, force: true })];

  static async open() {
    for (const folder of ['.', 'qdrant']) {
      mkdirSync(join(BUILT, folder), { recursive: true });
      const from = join(ROOT, 'test', 'support', folder);
      for (const file of readdirSync(from).filter((name) => name.endsWith('.ts'))) {
        const { code } = await transformFile(join(from, file), {
          swcrc: false,
          module: { type: 'es6' },
          jsc: { target: 'es2023', parser: { syntax: 'typescript', decorators: true } },
        });
        writeFileSync(join(BUILT, folder, file.replace(/\.ts$/, '.js')), code);
      }
    }
    writeFileSync(join(BUILT, 'package.json'), '{"type":"module"}\n');
    return new TestServers();
  }

  /** Rejects where this machine has no valkey-server or no build of the module. */
  async falkorDb() {
    const { FalkorDbServerForTests } = await import(pathToFileURL(join(BUILT, 'falkordb.js')).href);
    const server = await FalkorDbServerForTests.start();
    this.#stops.push(() => server.stop());
    return server;
  }

  /** In a thread of its own, as a server is beside its clients. Its URL. */
  async qdrantStandIn() {
    const worker = new Worker(new URL('stand-in.worker.mjs', import.meta.url), {
      workerData: pathToFileURL(join(BUILT, 'qdrant', 'stand-in.js')).href,
    });
    this.#stops.push(() => worker.terminate());
    return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  }

  async close() {
    for (const stop of this.#stops.reverse()) await stop();
  }
}

/** A module of what was built. */
export function built(path) {
  return import(pathToFileURL(join(ROOT, 'dist', path)).href);
}
