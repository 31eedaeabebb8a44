import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { QueryResultRow } from 'pg';
import { entityKey } from '../../ledger/entity-names.js';
import { Ledger } from '../../ledger/ledger.js';
import { stopWords } from '../../spaces/words/stop-words.js';
import { nameTerms } from '../../spaces/speech.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { slugOf } from '../enrichment/entity-kinds.js';
import { datesIn } from '../enrichment/reading/dates.js';
import { TOO_COMMON } from './named-entities.js';

/** Characters and words of a question that are looked at, and how many words a name has at the most. */
const READ = 2_000;
const WORDS = 32;
const LONGEST_NAME = 3;
/** Entities of one question, those that the fewest memories name. */
const MOST = 8;
/** What dates are is told by their form; all others by their names. */
const NAMED_KINDS = ['people', 'places', 'organizations', 'tools'] as const;
/** In characters. */
const QUESTIONS_KNOWN = 4_000_000;
/** Whoever is named for the first time, or merged, is known to a question that was just asked so much later. */
const KNOWN_FOR_MS = 5_000;

/** Whom and what a question names, of those whom memories name: under whatever name they do, once it was merged. */
@Injectable()
export class QuestionEntities {
  private readonly known = new LRUCache<string, Promise<string[]>>({
    maxSize: QUESTIONS_KNOWN,
    sizeCalculation: (_, name) => name.length,
    ttl: KNOWN_FOR_MS,
  });

  constructor(private readonly ledger: Ledger) {}

  /**
   * As tags in the indexes, `entity:<kind>:<HMAC>`, at most 8. Without those who speak, whom ranking knows by a part of its
   * own, and without what so many memories name that it says little.
   */
  of(
    tenant: Tenant,
    workspace: WorkspaceId,
    wordings: readonly string[],
    speakers: ReadonlySet<string>,
  ): Promise<string[]> {
    const read = wordings.map((wording) => wording.slice(0, READ));
    const name = `${tenant.id}/${workspace}/${JSON.stringify(read)}`;
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const keys = read.flatMap((wording) => keysIn(tenant, wording, speakers));
    const asked = keys.length === 0 ? NOBODY : this.ask(tenant, workspace, keys);
    this.known.set(name, asked);
    asked.catch(() => this.known.delete(name));
    return asked;
  }

  private async ask(tenant: Tenant, workspace: WorkspaceId, keys: string[]): Promise<string[]> {
    const rows = await this.ledger.readRows<QueryResultRow & { kind: string; entity: string }>(
      tenant,
      workspace,
      MENTIONED,
      [tenant.id, workspace, keys, TOO_COMMON, MOST],
    );
    return rows.map(({ kind, entity }) => `entity:${kind}:${entity}`);
  }
}

const NOBODY: Promise<string[]> = Promise.resolve([]);

function keysIn({ key }: Tenant, wording: string, speakers: ReadonlySet<string>): string[] {
  const dates = datesIn(wording, new Date()).map((date) => entityKey(key, 'dates', slugOf(date)));
  const slugs = new Set(
    namesIn(wording, speakers)
      .map(slugOf)
      .filter((slug) => slug.length > 1),
  );
  return [...dates, ...[...slugs].flatMap((slug) => NAMED_KINDS.map((kind) => entityKey(key, kind, slug)))];
}

/**
 * Whatever may be a name: one to three words, the first and the last not such as every text has, and not all of them names
 * of those who speak. `Maria's` is Maria.
 */
export function namesIn(wording: string, speakers: ReadonlySet<string>): string[] {
  const words = wording
    .split(/\s+/)
    .map((word) => word.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}+#]+$/gu, '').replace(/['’]s$/i, ''))
    .filter((word) => word !== '')
    .slice(0, WORDS);
  const speak = words.map((word) => speakers.size > 0 && nameTerms(word).every((term) => speakers.has(term)));
  const names: string[] = [];
  for (let from = 0; from < words.length; from++) {
    for (let length = 1; length <= LONGEST_NAME && from + length <= words.length; length++) {
      const to = from + length;
      const ends = [words[from], words[to - 1]];
      const isName = ends.every((word) => word !== undefined && !stopWords.has(word.toLowerCase()));
      if (isName && speak.slice(from, to).includes(false)) names.push(words.slice(from, to).join(' '));
    }
  }
  return names;
}

/** A name that was merged into another one is the other. */
const MENTIONED = `
SELECT asked.entity, named.kind FROM (
  SELECT DISTINCT coalesce(a.entity, k.key) AS entity FROM unnest($3::text[]) AS k (key)
  LEFT JOIN entity_aliases a ON a.tenant_id = $1 AND a.workspace_id = $2 AND a.found = k.key
) asked CROSS JOIN LATERAL (
  SELECT max(kind) AS kind, count(*) AS mentions FROM (
    SELECT n.kind FROM mentions n WHERE n.tenant_id = $1 AND n.workspace_id = $2 AND n.entity = asked.entity LIMIT $4::int + 1
  ) first
) named
WHERE named.mentions BETWEEN 1 AND $4::int ORDER BY named.mentions, asked.entity LIMIT $5`;
