import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import type { Cause } from '../../ledger/cause.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import { Ledger } from '../../ledger/ledger.js';
import { joinedText, openContent, textHash, type Part } from '../../ledger/sealed-memory.js';
import { Quotas } from '../../tenancy/quotas.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { Spaces } from '../../spaces/spaces.js';
import { BackfillSignal } from './backfill-signal.js';
import { committedMemories, itemsOf, type AddedMemories } from './committed-memories.js';
import { MemoryVectors, type VectorsByText } from './memory-vectors.js';
import type { MemoryDraft, Stored, StoreOutcome } from './memory.js';
import { duplicateHash, insertMemories, type PlacedMemory } from './memory-rows.js';
import { placeInSession, rejoin, setPrevious } from './session-weaver.js';
import { insertPending, insertVectors, type MadeVector, type PendingVector } from './vector-rows.js';

interface Known {
  id: string;
  type: string;
  fingerprint: Buffer;
}

interface KnownRow extends QueryResultRow, Known {
  duplicate_hash: Buffer;
}

interface TailRow extends QueryResultRow {
  session_id: string;
  id: string;
  content: Buffer;
}

/**
 * Storing memories: embed first, commit once, catch up, answer.
 * What the ledger already holds is found twice: before the transaction, to know which texts will be joined, and
 * inside it, under the tenant's lock, where it is decided. Where the two differ, the vector comes later.
 */
@Injectable()
export class MemoryStoreService {
  constructor(
    private readonly ledger: Ledger,
    private readonly spaces: Spaces,
    private readonly vectors: MemoryVectors,
    private readonly quotas: Quotas,
    private readonly backfill: BackfillSignal,
  ) {}

  /**
   * One outcome for each draft, in order. Throws `QuotaExceeded`, and then stores none. `along` is written in the same
   * transaction, after them.
   */
  async store(
    tenant: Tenant,
    workspace: WorkspaceId,
    drafts: MemoryDraft[],
    cause: Cause,
    along: (tx: LedgerWrite, outcomes: readonly StoreOutcome[]) => Promise<void> = nothingElse,
  ): Promise<Stored> {
    const space = this.spaces.open(tenant);
    await space.meet();
    const vectors = await this.vectors.of(tenant, await this.textsOf(tenant, workspace, drafts));
    const written = await this.ledger.write(tenant, workspace, cause, async (tx) => {
      const { outcomes, added } = await this.decide(tx, workspace, drafts);
      this.quotas.checkMemories(tenant, tx.memoryCount, added.length);
      if (added.length === 0) return { outcomes, indexed: false, complete: true, items: null };
      const stored = await this.add(tx, workspace, added, vectors);
      await along(tx, outcomes);
      const items = itemsOf(tenant, workspace, stored.added);
      return { outcomes, indexed: false, complete: stored.complete, items };
    });
    const { outcomes, complete, items } = written.result;
    if (!complete) this.backfill.ring();
    const committed = items && committedMemories(written, await items);
    const indexed = await space.indexed(committed);
    return { outcomes, indexed: indexed && complete };
  }

  /** The texts that will be embedded: each content alone, and joined to what will most likely come before it. */
  private async textsOf(tenant: Tenant, workspace: WorkspaceId, drafts: MemoryDraft[]): Promise<string[]> {
    const texts = drafts.filter((draft) => draft.embedding === null).map((draft) => draft.content);
    const sessions = new Map<string, MemoryDraft[]>();
    for (const draft of drafts) {
      if (draft.session !== null)
        sessions.set(draft.session, [...(sessions.get(draft.session) ?? []), draft]);
    }
    if (sessions.size === 0) return texts;
    const tails = await this.ledger.read(tenant, workspace, (tx) =>
      tx.rows<TailRow>(TAILS, [
        tenant.id,
        workspace,
        [...sessions.keys()],
        [...sessions.values()].map((ofSession) => earliest(ofSession)),
      ]),
    );
    const before = new Map(
      tails.map((row) => [row.session_id, openContent(tenant.key, workspace, row.id, row.content)]),
    );
    for (const [session, ofSession] of sessions) {
      let previous = before.get(session);
      for (const draft of inOrder(ofSession)) {
        if (previous !== undefined) texts.push(joinedText(previous, draft.content));
        previous = draft.content;
      }
    }
    return texts;
  }

  private async decide(
    tx: LedgerWrite,
    workspace: WorkspaceId,
    drafts: MemoryDraft[],
  ): Promise<{ outcomes: StoreOutcome[]; added: PlacedMemory[] }> {
    const hashes = drafts.map((draft) => duplicateHash(tx.tenant, draft));
    const known = await tx.rows<KnownRow>(KNOWN, [
      tx.tenant.id,
      workspace,
      drafts.flatMap((draft) => draft.id ?? []),
      hashes.filter((_, i) => drafts[i]?.id === null),
    ]);
    const byId = new Map<string, Known>(known.map((row) => [row.id, row]));
    const byHash = new Map<string, Known>(known.map((row) => [row.duplicate_hash.toString('base64'), row]));
    const added: PlacedMemory[] = [];
    const outcomes = drafts.map((draft, i): StoreOutcome => {
      const hash = hashes[i] ?? duplicateHash(tx.tenant, draft);
      if (draft.id !== null) {
        const existing = byId.get(draft.id);
        if (existing !== undefined) {
          const repeats = existing.fingerprint.equals(draft.fingerprint);
          return { outcome: repeats ? 'existed' : 'conflict', id: draft.id, type: existing.type };
        }
      } else {
        const existing = byHash.get(hash.toString('base64'));
        if (existing !== undefined) return { outcome: 'existed', id: existing.id, type: existing.type };
      }
      const id = draft.id ?? randomUUID();
      const { type, fingerprint } = draft;
      byId.set(id, { id, type, fingerprint });
      byHash.set(hash.toString('base64'), { id, type, fingerprint });
      added.push({
        draft,
        id,
        position: tx.changed(workspace, 'memory', id),
        previous: null,
        duplicateHash: hash,
        aloneHash: textHash(tx.tenant.key, draft.content),
        joinedHash: null,
      });
      return { outcome: 'stored', id, type };
    });
    return { outcomes, added };
  }

  /** Not `complete` where a vector is still missing. */
  private async add(
    tx: LedgerWrite,
    workspace: WorkspaceId,
    added: PlacedMemory[],
    vectors: VectorsByText,
  ): Promise<{ complete: boolean; added: AddedMemories }> {
    const displaced = await this.placeAll(tx, workspace, added);
    const previousContents = await this.contentsOf(tx, workspace, added);
    const made: MadeVector[] = [];
    const pending: PendingVector[] = [];
    for (const memory of added) {
      const { draft, id, aloneHash } = memory;
      const before = memory.previous === null ? undefined : previousContents.get(memory.previous);
      if (before !== undefined)
        memory.joinedHash = textHash(tx.tenant.key, joinedText(before, draft.content));
      const take = (part: Part, hash: Buffer, vectorsByModel: VectorsByText) => {
        for (const [model, byHash] of vectorsByModel) {
          const vector = byHash.get(hash.toString('base64'));
          if (vector === undefined) pending.push({ workspace, id, part, model });
          else made.push({ workspace, id, part, model, hash, given: false, vector });
        }
      };
      if (draft.embedding === null) take('alone', aloneHash, vectors);
      else {
        const given = this.vectors.given(tx.tenant, workspace, id, aloneHash, draft.embedding);
        made.push(...given.made);
        pending.push(...given.missing);
      }
      if (memory.joinedHash !== null) take('joined', memory.joinedHash, vectors);
    }
    insertMemories(tx, workspace, added);
    // The rows are on their way, and are written while the vectors are sealed.
    if (added.length > 1) await nextTurn();
    await setPrevious(tx, workspace, displaced);
    const models = this.vectors.modelsFor(tx.tenant);
    pending.push(
      ...(await rejoin(
        tx,
        workspace,
        displaced.map((link) => link.id),
        models,
      )),
    );
    insertVectors(tx, made);
    insertPending(tx, pending);
    tx.countMemories(added.length);
    tx.meter(workspace, 'memories_stored', added.length);
    tx.record(
      'memory.create',
      workspace,
      added.map(({ id }) => id),
    );
    const complete = pending.length === 0;
    return { complete, added: { memories: added, contents: previousContents, vectors: made } };
  }

  private async placeAll(tx: LedgerWrite, workspace: WorkspaceId, added: PlacedMemory[]) {
    const sessions = new Map<string, PlacedMemory[]>();
    for (const memory of added) {
      const { session } = memory.draft;
      if (session !== null) sessions.set(session, [...(sessions.get(session) ?? []), memory]);
    }
    const displaced: { id: string; previous: string | null }[] = [];
    for (const [session, ofSession] of sessions) {
      const entering = ofSession.map(({ id, position, draft }) => ({
        id,
        session,
        position,
        timestamp: draft.timestamp,
      }));
      const place = await placeInSession(tx, workspace, session, entering);
      for (const memory of ofSession) memory.previous = place.previous.get(memory.id) ?? null;
      displaced.push(...place.displaced);
    }
    return displaced;
  }

  /** The contents of all predecessors: those that are added with them, and those that the ledger holds. */
  private async contentsOf(
    tx: LedgerWrite,
    workspace: WorkspaceId,
    added: PlacedMemory[],
  ): Promise<Map<string, string>> {
    const contents = new Map(added.map((memory) => [memory.id, memory.draft.content]));
    const stored = added.flatMap(({ previous }) =>
      previous === null || contents.has(previous) ? [] : previous,
    );
    if (stored.length === 0) return contents;
    const rows = await tx.rows<{ id: string; content: Buffer }>(
      `SELECT id, content FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[])`,
      [tx.tenant.id, workspace, stored],
    );
    for (const row of rows) contents.set(row.id, openContent(tx.tenant.key, workspace, row.id, row.content));
    return contents;
  }
}

const nothingElse = (): Promise<void> => Promise.resolve();

function earliest(drafts: MemoryDraft[]): Date {
  return new Date(Math.min(...drafts.map((draft) => draft.timestamp.getTime())));
}

/** By their own times; those of one time in the order they came. */
function inOrder(drafts: MemoryDraft[]): MemoryDraft[] {
  return [...drafts].sort((a, b) => a.timestamp.getTime() - b.timestamp.getTime());
}

/** The memory that is now last before the earliest of the new ones, in each session. */
const TAILS = `
SELECT s.session_id, m.id, m.content FROM unnest($3::text[], $4::timestamptz[]) AS s (session_id, earliest)
CROSS JOIN LATERAL (
  SELECT id, content FROM memories
  WHERE tenant_id = $1 AND workspace_id = $2 AND session_id = s.session_id AND timestamp <= s.earliest
  ORDER BY timestamp DESC, position DESC LIMIT 1
) m`;

const KNOWN = `
SELECT id, type, fingerprint, duplicate_hash FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[])
UNION
SELECT id, type, fingerprint, duplicate_hash FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND duplicate_hash = ANY($4::bytea[])`;
