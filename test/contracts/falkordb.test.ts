import { randomBytes } from 'node:crypto';
import { FalkorDbEngine } from '../../src/spaces/falkordb/falkordb-engine.js';
import { FalkorDbServerForTests, withFalkorDb } from '../support/falkordb.js';
import type { EngineUnderTest } from './engine-under-test.js';
import { graphSpaceContract } from './graph-space.contract.js';

async function falkorDb(): Promise<EngineUnderTest<FalkorDbEngine>> {
  const server = await FalkorDbServerForTests.start();
  const engine = new FalkorDbEngine({ url: server.url, secret: { key: randomBytes(32), version: 1 } });
  return {
    engine,
    holds: async ({ name }) => (await server.command('EXISTS', name)) === 1,
    close: async () => {
      await engine.close();
      await server.stop();
    },
  };
}

withFalkorDb('FalkorDB', () => graphSpaceContract('falkordb', falkorDb, { exactStrengths: true }));
