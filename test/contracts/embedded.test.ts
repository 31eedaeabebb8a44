import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedEngine } from '../../src/spaces/embedded/embedded-engine.js';
import type { EngineUnderTest } from './engine-under-test.js';
import { graphSpaceContract } from './graph-space.contract.js';
import { vectorSpaceContract } from './vector-space.contract.js';

async function embedded<Part extends 'vectors' | 'graphs'>(
  part: Part,
): Promise<EngineUnderTest<EmbeddedEngine[Part]>> {
  const folder = mkdtempSync(join(tmpdir(), 'loci-spaces-'));
  const engine = await EmbeddedEngine.start({ folder, maxOpen: 4 });
  return {
    engine: engine[part],
    holds: (address) => Promise.resolve(existsSync(join(folder, `${address.name}.db`))),
    close: async () => {
      await engine.close();
      rmSync(folder, { recursive: true });
    },
  };
}

vectorSpaceContract('embedded', () => embedded('vectors'), { exactScores: true, modelsSideBySide: true });
graphSpaceContract('embedded', () => embedded('graphs'), { exactStrengths: true });
