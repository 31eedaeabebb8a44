import { randomBytes } from 'node:crypto';
import { FalkorDbEngine } from '../../src/spaces/falkordb/falkordb-engine.js';
import { keyOf } from '../../src/spaces/falkordb/graph-rows.js';
import { FalkorDbServerForTests, withFalkorDb } from '../support/falkordb.js';
import { graphEntitiesContract } from './graph-entities.contract.js';
import {
  graphSpaceContract,
  type GraphEngineUnderTest,
  type SpoiltEdge,
  type SpoiltMention,
} from './graph-space.contract.js';
import { graphWalksContract } from './graph-walks.contract.js';

const SPOILT_EDGES: Record<SpoiltEdge, string> = {
  strength: 'SET r.strength = 0.25',
  type: "SET r.type = 'OTHER'",
  end: `WITH r, startNode(r) AS a, r.key AS key, r.revision AS revision, r.type AS type, r.strength AS strength
        MATCH (c:Memory) WHERE c.key ENDS WITH '/c'
        DELETE r
        CREATE (a)-[:RELATION {key: key, revision: revision, type: type, strength: strength}]->(c)`,
};

const SPOILT_MENTIONS: Record<SpoiltMention, string> = {
  missing: 'MATCH (m)-[x:MENTIONS]->(e) WHERE e.key CONTAINS "people%3Ax" DELETE x',
  surplus: 'MATCH (e:Entity) WHERE e.key CONTAINS "people%3Ax" CREATE (m)-[:MENTIONS]->(e)',
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
    spoilMention: async ({ name }, workspace, id, what) => {
      const memory = `MATCH (m:Memory {key: '${keyOf(workspace, id)}'}) WITH m`;
      await server.command('GRAPH.QUERY', name, `${memory} ${SPOILT_MENTIONS[what]}`);
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
  graphEntitiesContract('falkordb', falkorDb);
});
