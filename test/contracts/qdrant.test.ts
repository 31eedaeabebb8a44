import { QdrantEngine } from '../../src/spaces/qdrant/qdrant-engine.js';
import { QdrantStandIn, type StandInOptions } from '../support/qdrant/stand-in.js';
import { cannotRun } from '../support/cannot-run.js';
import { spoilPoint } from './spoil-point.js';
import { vectorSpaceContract, type VectorEngineUnderTest } from './vector-space.contract.js';

async function standIn(options: StandInOptions): Promise<VectorEngineUnderTest> {
  const server = await QdrantStandIn.start(options);
  const engine = new QdrantEngine({ url: server.url, apiKey: options.apiKey ?? null });
  return {
    engine,
    holds: ({ name }) => Promise.resolve(server.collections.has(name)),
    spoil: ({ name }, id, what) =>
      spoilPoint({ url: server.url, apiKey: options.apiKey ?? null, collection: name }, id, what),
    close: async () => {
      await engine.close();
      await server.close();
    },
  };
}

async function realServer(url: string, apiKey: string | null): Promise<VectorEngineUnderTest> {
  const engine = new QdrantEngine({ url, apiKey });
  const headers: Record<string, string> = apiKey === null ? {} : { 'api-key': apiKey };
  return {
    engine,
    holds: async ({ name }) => {
      const answer = await fetch(`${url}/collections/${name}/exists`, { headers });
      return ((await answer.json()) as { result: { exists: boolean } }).result.exists;
    },
    spoil: ({ name }, id, what) => spoilPoint({ url, apiKey, collection: name }, id, what),
    close: () => engine.close(),
  };
}

const every = { exactScores: true, modelsSideBySide: true };

vectorSpaceContract(
  'qdrant (stand-in, with an API key)',
  () => standIn({ apiKey: 'the-operators-key' }),
  every,
);
vectorSpaceContract('qdrant (stand-in of 1.16)', () => standIn({ version: '1.16.3' }), {
  ...every,
  modelsSideBySide: false,
});

const { QDRANT_URL: url, QDRANT_API_KEY: apiKey } = process.env;
if (url === undefined) {
  cannotRun('The contract of vector spaces was not run against a Qdrant server: name one in QDRANT_URL.');
} else {
  vectorSpaceContract('qdrant (server)', () => realServer(url, apiKey ?? null), every);
}
