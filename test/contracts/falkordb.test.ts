import { randomBytes } from 'node:crypto';
import { FalkorDbEngine } from '../../src/spaces/falkordb/falkordb-engine.js';
import { keyOf } from '../../src/spaces/falkordb/graph-rows.js';
import { FalkorDbServerForTests, withFalkorDb } from '../support/falkordb.js';
import { graphSpaceContract, type GraphEngineUnderTest, type SpoiltEdge } from './graph-space.contract.js';
import { graphWalksContract } from './graph-walks.contract.js';

const SPOILT_EDGES: Record<SpoiltEdge, string> = {
  strength: 'SET r.strength = 0.25',
  type: "SET r.type = 'OTHER'",
  end: `WITH r, startNode(r) AS a, r.key AS key, r.revision AS revision, r.type AS type, r.strength AS strength
        MATCH (c:Memory) WHERE c.key ENDS WITH '/c'
        DELETE r
        CREATE (a)-[:RELATION {key: key, revision: revision, type: type, strength: strength}]->(c)`,
};

async function falkorDb(): Promise<GraphEngineUnderTest> {
  const server = await FalkorDbServerForTests.start();
  const engine = new FalkorDbEngine({ url: server.url, secret: { key: randomBytes(32), version: 1 } });
  return {
    engine,
    holds: async ({ name }) => (await server.command('EXISTS', name)) === 1,
    spoil: async ({ name }, workspace, id, what) => {
      const relation = `MATCH ()-[r:RELATION {key: '${keyOf(workspace, id)}'}]->()`;
      await server.command('GRAPH.QUERY', name, `${relation} ${SPOILT_EDGES[what]}`);
    },
    close: async () => {
      await engine.close();
      await server.stop();
    },
  };
}

withFalkorDb('FalkorDB', () => {
  graphSpaceContract('falkordb', falkorDb, { exactStrengths: true });
  graphWalksContract('falkordb', falkorDb);
});
