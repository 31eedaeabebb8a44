import type { WorkspaceId } from '../../tenancy/tenant.js';
import type { HeldMemory, FilterFields, RankingFacts } from '../vector-space.js';
import { bytesOf, float32sOf, uint32sOf } from './blobs.js';
import { firstKey, lastKey, placeOf } from './keys.js';
import { digestOfStored, mix, remix, sumOf, type TermSum } from './memory-digest.js';
import type { TenantFile } from './tenant-file.js';
import { eachPosting } from './term-postings.js';
import { signCodes } from './workspace-index.js';

interface StoredRow extends Omit<FilterFields, 'tags'>, RankingFacts {
  key: number;
  id: string;
  revision: number;
  aloneLength: number;
  joinedLength: number | null;
  has: number;
  codes: unknown;
  pointId: string | null;
  alone: unknown;
  joined: unknown;
  terms: unknown;
  inTail: number;
  tags: string | null;
}

const STORED = `
SELECT m.key, m.id, m.revision, m.type, m.timestamp, m.valid_from AS validFrom, m.valid_until AS validUntil, m.session,
  m."user" AS "user", m.agent, m.alone_length AS aloneLength, m.joined_length AS joinedLength, m.has, m.codes,
  m.speaker, m.asked, m.importance, m.confidence,
  p.id AS pointId, p.alone, p.joined, p.terms, t.key IS NOT NULL AS inTail,
  (SELECT json_group_array(tag) FROM $_tags WHERE key = m.key) AS tags
FROM $_memories m LEFT JOIN $_points p USING (key) LEFT JOIN $_tail t USING (key)
WHERE m.key BETWEEN ? AND ?`;

/** Everything that one model's tables hold of one workspace, digested: vectors, codes, terms and postings too. */
export function storedMemories(
  file: TenantFile,
  { tables, dimensions }: { tables: string; dimensions: number },
  { ws, workspace }: { ws: number; workspace: WorkspaceId },
): HeldMemory[] {
  const posted = postedIn(file, tables, ws);
  const rows = file.sql(STORED.replaceAll('$_', `${tables}_`)).iterate(firstKey(ws), lastKey(ws));
  return Array.from(rows as Iterable<StoredRow>, (row) => {
    const { id, revision, pointId, codes, inTail, tags, ...fields } = row;
    const alone = row.alone === null ? null : float32sOf(row.alone);
    const joined = row.joined === null ? null : float32sOf(row.joined);
    const terms = row.terms === null ? { a: 0, b: 0 } : sumOf(uint32sOf(row.terms));
    const found = posted.get(placeOf(row.key)) ?? { a: 0, b: 0 };
    const wanted = signCodes(alone, joined, dimensions);
    const digest = digestOfStored({
      ...fields,
      tags: JSON.parse(tags ?? '[]') as string[],
      terms,
      searchable: inTail === 1 ? { a: (terms.a + found.a) >>> 0, b: (terms.b + found.b) >>> 0 } : found,
      alone,
      joined,
      fits: pointId === id && sameBytes(codes, wanted),
    });
    return { workspace, id, revision, digest };
  });
}

/** By place: the terms by which a search finds the memory there. */
function postedIn(file: TenantFile, tables: string, ws: number): Map<number, TermSum> {
  const sums = new Map<number, TermSum>();
  eachPosting(file, `${tables}_postings`, ws, (term, place, counts) => {
    let sum = sums.get(place);
    if (sum === undefined) sums.set(place, (sum = { a: 0, b: 0 }));
    const mixed = mix(term, counts);
    sum.a = (sum.a + mixed) >>> 0;
    sum.b = (sum.b + remix(mixed)) >>> 0;
  });
  return sums;
}

function sameBytes(stored: unknown, wanted: Uint32Array | null): boolean {
  if (wanted === null || !(stored instanceof Uint8Array)) return wanted === null && stored === null;
  return Buffer.compare(stored, bytesOf(wanted)) === 0;
}
