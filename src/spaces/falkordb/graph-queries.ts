import { DEEPEST_PATH } from '../graph-space.js';

/**
 * Every query there is: constant texts. What varies comes as parameters.
 *
 *     (:Watermark2 {ledger, revision})                       one. The number is this format's: a graph of another one has
 *                                                            no watermark for us, and is begun anew
 *     (:Memory {key, revision, live})                        live: false: a tombstone; no revision: not come yet,
 *                                                            kept as an end of a relation that has
 *     (:Memory)-[:RELATION {key, revision, type, strength, exact}]->(:Memory)
 *     (:BuriedRelation {key, revision})                      a relation's tombstone
 *     (:Memory)-[:MENTIONS]->(:Entity {key})                 of memories that live; no entity is there without one
 *
 * `key` is `<workspace>/<id>`. A relation's type is a property and not the edge's: types are the tenants' own words,
 * which must never be part of a query, and each type of edges is a matrix of its own.
 */
export const INDEXES = [
  'CREATE INDEX FOR (m:Memory) ON (m.key)',
  'CREATE INDEX FOR (b:BuriedRelation) ON (b.key)',
  'CREATE INDEX FOR ()-[r:RELATION]-() ON (r.key)',
  'CREATE INDEX FOR (e:Entity) ON (e.key)',
];

export const WATERMARK = 'MATCH (w:Watermark2) RETURN w.ledger, w.revision';

/** Parameters: those of `GraphRows`. An empty list has no rows, and its part changes nothing. */
const ITEMS = `
CALL { WITH w
  UNWIND $memories AS row
  MERGE (m:Memory {key: row[0]})
  SET m.live = CASE WHEN coalesce(m.revision, -1) < row[1] OR (m.revision = row[1] AND row[2])
                    THEN NOT row[2] ELSE m.live END,
      m.revision = CASE WHEN coalesce(m.revision, -1) < row[1] THEN row[1] ELSE m.revision END
  WITH m, row WHERE m.revision = row[1]
  OPTIONAL MATCH (m)-[old:MENTIONS]->(e:Entity)
  DELETE old
  RETURN count(*) AS memories, collect(DISTINCT e) AS once }
CALL { WITH w
  UNWIND $mentions AS row
  MATCH (m:Memory {key: row[0]}) WHERE m.live AND m.revision = row[1]
  MERGE (e:Entity {key: row[2]})
  CREATE (m)-[:MENTIONS]->(e)
  RETURN count(*) AS mentions }
CALL { WITH once
  UNWIND once AS e
  WITH e WHERE indegree(e, 'MENTIONS') = 0
  DELETE e
  RETURN count(*) AS forgotten }
CALL { WITH w
  UNWIND $relations AS row
  OPTIONAL MATCH ()-[old:RELATION {key: row[0]}]->()
  OPTIONAL MATCH (buried:BuriedRelation {key: row[0]})
  WITH row, old, buried
  WHERE coalesce(old.revision, -1) < row[1] AND coalesce(buried.revision, -1) < row[1]
  DELETE old, buried
  WITH row
  MERGE (from:Memory {key: row[2]})
  MERGE (to:Memory {key: row[3]})
  CREATE (from)-[:RELATION {key: row[0], revision: row[1], type: row[4], strength: row[5], exact: row[6]}]->(to)
  RETURN count(*) AS relations }
CALL { WITH w
  UNWIND $buried AS row
  OPTIONAL MATCH ()-[old:RELATION {key: row[0]}]->()
  WITH row, old WHERE coalesce(old.revision, -1) <= row[1]
  DELETE old
  WITH row
  MERGE (b:BuriedRelation {key: row[0]})
  SET b.revision = CASE WHEN coalesce(b.revision, -1) < row[1] THEN row[1] ELSE b.revision END
  RETURN count(*) AS buried }
RETURN memories, mentions, forgotten, relations, buried`;

/** No row: the watermark was no longer `$ledger`, `$from`, and nothing was changed. */
export const APPLY = `
MATCH (w:Watermark2 {ledger: $ledger, revision: $from})
SET w.revision = $to
WITH w ${ITEMS}`;

/**
 * For a graph without a watermark, whatever else it holds. No row: it has one by now.
 *
 * Counted by comparing labels, because what one would write first lets racing batches all through: a label that is
 * unknown when a query is planned matches nothing when it runs, though a query in between has made it known; and
 * `OPTIONAL MATCH (w:Watermark2) WITH w WHERE w IS NULL` holds where there is one (FalkorDB 4.16.3).
 */
export const BEGIN = `
OPTIONAL MATCH (n)
WITH sum(CASE WHEN 'Watermark2' IN labels(n) THEN 1 ELSE 0 END) AS watermarks
WHERE watermarks = 0
CALL { WITH watermarks MATCH (n) DETACH DELETE n RETURN count(*) AS dropped }
CREATE (w:Watermark2 {ledger: $ledger, revision: $to})
WITH w ${ITEMS}`;

/** Drops what was built from another ledger and begins with this one, in one step. No row: the watermark moved. */
export const BEGIN_ANEW = `
MATCH (w:Watermark2 {ledger: $fromLedger, revision: $from})
CALL { WITH w MATCH (n) WHERE id(n) <> id(w) DETACH DELETE n RETURN count(*) AS dropped }
SET w.ledger = $ledger, w.revision = $to
WITH w ${ITEMS}`;

/** What is told of a relation. */
const LINK = 'r.key, r.type, startNode(r).key, endNode(r).key, coalesce(r.exact, r.strength)';

/**
 * One level of the walk: the strongest relation to each memory not seen yet, the first `$limit` of them. Only the
 * `$most` strongest relations are grouped; `ways` tells whether that cut any (`RelatedReply`).
 * A level that fills the limit is the last one: what lies deeper could not come before it.
 */
const level = (depth: number): string => `
CALL { WITH seen, found, frontier
  UNWIND CASE WHEN size(found) >= $limit THEN [] ELSE frontier END AS at
  WITH seen, at[0] AS near, at[1] AS start
  MATCH (near)-[r:RELATION]-(far:Memory)
  WHERE far.live AND r.strength >= $weakest AND ($types IS NULL OR r.type IN $types) AND NOT id(far) IN seen
  WITH start, far, r ORDER BY r.strength DESC, r.key LIMIT $most
  WITH far, head(collect(r)) AS r, head(collect(start)) AS start, count(r) AS ways
  ORDER BY r.strength DESC, far.key LIMIT $limit
  RETURN sum(ways) AS ways${depth}, collect([far, start, far.key, ${depth}, ${LINK}]) AS level${depth} }
WITH ${ways(depth - 1)} CASE WHEN ways${depth} = $most AND size(level${depth}) < $limit THEN 1 ELSE 0 END AS cut${depth},
  seen + [x IN level${depth} | id(x[0])] AS seen, found + [x IN level${depth} | x[1..9]] AS found,
  [x IN level${depth} | [x[0], x[1]]] AS frontier`;

const ways = (depth: number): string => Array.from({ length: depth }, (_, at) => `cut${at + 1}, `).join('');

/** Starts (`$starts`: keys) to memories at most so deep, either direction. One row: the list of found, what was cut. */
const related = (depth: number): string => `
UNWIND $starts AS key
MATCH (s:Memory {key: key}) WHERE s.live
WITH DISTINCT s
WITH collect(id(s)) AS seen, collect([s, s.key]) AS frontier, [] AS found
${Array.from({ length: depth }, (_, at) => level(at + 1)).join('')}
RETURN found[0..$limit], ${Array.from({ length: depth }, (_, at) => `cut${at + 1}`).join(' + ')}`;

export const RELATED: readonly string[] = [1, 2, 3].map(related);

/** A row for each of `$starts`, keys: the list of the first `$each` of its relations. */
export const LINKS = `
UNWIND $starts AS key
MATCH (s:Memory {key: key}) WHERE s.live
CALL { WITH s
  MATCH (s)-[r:RELATION]-(far:Memory)
  WHERE far.live AND id(far) <> id(s) AND r.strength >= $weakest AND ($types IS NULL OR r.type IN $types)
  WITH far, r ORDER BY r.strength DESC, far.key, r.key LIMIT $each
  RETURN collect([far.key, ${LINK}]) AS links }
RETURN s.key, links`;

/** A row for each of `$starts`, keys: the list of the first `$each` that name what it names. */
export const SHARERS = `
UNWIND $starts AS key
MATCH (s:Memory {key: key}) WHERE s.live
CALL { WITH s
  MATCH (s)-[:MENTIONS]->(e:Entity)
  WITH s, e, indegree(e, 'MENTIONS') AS mentions WHERE mentions <= $most
  MATCH (e)<-[:MENTIONS]-(far:Memory) WHERE id(far) <> id(s)
  WITH far, e, mentions ORDER BY mentions, e.key
  WITH far, head(collect(e.key)) AS entity, min(mentions) AS mentions, count(e) AS shared
  ORDER BY mentions, shared DESC, far.key LIMIT $each
  RETURN collect([far.key, entity, mentions, shared]) AS sharers }
RETURN s.key, sharers`;

/**
 * One step of the way: the strongest relation to each memory on its other side, with the way until there. `$enough` is
 * one more than `$most`, so that a step which passes it is known. Memories that were met before are met again: to pass
 * them over is the dearer, as FalkorDB looks a list through from its beginning.
 */
const STEP = `
CALL { WITH frontier
  UNWIND frontier AS at
  WITH at[0] AS near, at[1] AS way
  MATCH (near)-[r:RELATION]-(far:Memory)
  WHERE far.live AND r.strength >= $weakest AND ($types IS NULL OR r.type IN $types)
  WITH far, r, way LIMIT $enough
  WITH far, r, way ORDER BY r.strength DESC, r.key
  WITH far, head(collect(r)) AS r, head(collect(way)) AS way, count(r) AS ways
  RETURN sum(ways) AS ways, collect([far, way + [r]]) AS level }
WITH target, looked + ways AS looked, looked + ways > $most AS cut, level,
  [x IN level WHERE id(x[0]) = target | x[1]] AS ends, found
WITH target, looked, cut, CASE WHEN cut THEN found ELSE found + ends END AS found,
  CASE WHEN cut OR size(found) > 0 OR size(ends) > 0 THEN [] ELSE level END AS frontier`;

/** One row: the list of relations on the way (none: there is none), and whether a step was not taken. */
const path = (depth: number): string => `
MATCH (s:Memory {key: $from}), (t:Memory {key: $to}) WHERE s.live AND t.live
WITH id(t) AS target, 0 AS looked, false AS cut, [] AS found, [[s, []]] AS frontier
${STEP.repeat(depth)}
RETURN [r IN head(found) | [${LINK}]], cut`;

export const PATH: readonly string[] = Array.from({ length: DEEPEST_PATH }, (_, at) => path(at + 1));

export const COUNT = {
  nodes: 'MATCH (m:Memory) WHERE m.live RETURN count(m)',
  relationships: 'MATCH (a:Memory)-[r:RELATION]->(b:Memory) WHERE a.live AND b.live RETURN count(r)',
  entities: 'MATCH (e:Entity) RETURN count(e)',
  mentions: 'MATCH (:Memory)-[x:MENTIONS]->(:Entity) RETURN count(x)',
};

/** A page of what is there, after a key: a server may be set to cut long answers short without a word. */
export const LIST = {
  memory: `MATCH (m:Memory) WHERE m.live AND m.key > $after WITH m ORDER BY m.key LIMIT $page
    OPTIONAL MATCH (m)-[:MENTIONS]->(e:Entity)
    RETURN m.key, m.revision, collect(e.key) ORDER BY m.key`,
  relation: `MATCH (a)-[r:RELATION]->(b) WHERE r.key > $after
    RETURN r.key, r.revision, r.type, a.key, b.key, r.strength, r.exact ORDER BY r.key LIMIT $page`,
};
