import { Injectable } from '@nestjs/common';
import type { Cause } from '../../ledger/cause.js';
import { changedMembers } from '../../ledger/changed-members.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import { Ledger } from '../../ledger/ledger.js';
import { sharesTag } from '../../ledger/compared-tags.js';
import { sealContent, sealMetadata, sealSource, textHash } from '../../ledger/sealed-memory.js';
import { Spaces } from '../../spaces/spaces.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { BackfillSignal } from './backfill-signal.js';
import { duplicateHash, memoryOf, MEMORY_COLUMNS, type MemoryRow } from './memory-rows.js';
import { snapshotPlace } from './memory-reader.service.js';
import { MemoryVectors } from './memory-vectors.js';
import { deleteMemories, drawnFrom } from './memory-removal.js';
import { MemoryNotFound } from './memory.errors.js';
import { classify } from './memory-types.js';
import { recordedMemory } from './memory-record.js';
import type { Memory, MemoryEdit } from './memory.js';
import { closeGap, placeInSession, rejoin, setPrevious } from './session-weaver.js';
import { insertPending, insertVectors } from './vector-rows.js';

interface EditedRow extends MemoryRow {
  position: string;
  previous_id: string | null;
  type_given: boolean;
}

/** Changing and deleting what is remembered. */
@Injectable()
export class MemoryEditorService {
  constructor(
    private readonly ledger: Ledger,
    private readonly spaces: Spaces,
    private readonly vectors: MemoryVectors,
    private readonly backfill: BackfillSignal,
  ) {}

  /** The memory as it is afterwards. What it was is kept in its history. Throws `MemoryNotFound`. */
  async update(
    tenant: Tenant,
    workspace: WorkspaceId,
    id: string,
    edit: MemoryEdit,
    cause: Cause,
  ): Promise<{ memory: Memory; indexed: boolean }> {
    await this.spaces.open(tenant).meet();
    const texts = edit.content === undefined || edit.embedding !== undefined ? [] : [edit.content];
    const vectors = await this.vectors.of(tenant, texts);
    const { result } = await this.ledger.write(tenant, workspace, cause, async (tx) => {
      const [row] = await tx.rows<EditedRow>(
        `SELECT ${MEMORY_COLUMNS}, position, previous_id, type_given FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = $3`,
        [tenant.id, workspace, id],
      );
      if (row === undefined) throw new MemoryNotFound();
      const before = memoryOf(tenant, row);
      const after: Memory = { ...before, ...withoutVector(edit), updatedAt: new Date() };
      const revision = tx.changed(workspace, 'memory', id);
      await this.keepSnapshot(tx, workspace, before, revision);
      await this.write(tx, workspace, after, row.type_given || edit.type !== undefined);
      const moved =
        after.session !== before.session || after.timestamp.getTime() !== before.timestamp.getTime();
      const neighbours = moved
        ? await this.move(tx, workspace, after, Number(row.position))
        : after.content === before.content
          ? []
          : await followersOf(tx, workspace, id);
      const models = this.vectors.modelsFor(tenant);
      const joined = moved || after.content !== before.content ? [id, ...neighbours] : [];
      const pending = await rejoin(tx, workspace, joined, models);
      const hash = textHash(tenant.key, after.content);
      if (edit.embedding !== undefined) {
        const { made, missing } = this.vectors.given(tenant, workspace, id, hash, edit.embedding);
        insertVectors(tx, made);
        pending.push(...missing);
      } else if (after.content !== before.content) {
        for (const [model, byHash] of vectors) {
          const vector = byHash.get(hash.toString('base64'));
          if (vector === undefined) pending.push({ workspace, id, part: 'alone', model });
          else insertVectors(tx, [{ workspace, id, part: 'alone', model, hash, given: false, vector }]);
        }
      }
      insertPending(tx, pending);
      // What was drawn from its old text tells what it says no longer.
      if (after.content !== before.content)
        await deleteMemories(tx, workspace, await drawnFrom(tx, workspace, [id]), models);
      for (const relation of await relationsOf(tx, workspace, id))
        tx.changed(workspace, 'relation', relation);
      tx.record(
        'memory.update',
        workspace,
        id,
        changedMembers(recordedMemory(tenant, before), recordedMemory(tenant, after)),
      );
      tx.meter(workspace, 'memories_updated', 1);
      return { memory: after, complete: pending.length === 0 };
    });
    if (!result.complete) this.backfill.ring();
    const indexed = await this.spaces.open(tenant).indexed();
    return { memory: result.memory, indexed: indexed && result.complete };
  }

  /** Content, history, vectors and relations go at once, also where it was set aside. Throws `MemoryNotFound`. */
  async remove(
    tenant: Tenant,
    workspace: WorkspaceId,
    id: string,
    cause: Cause,
  ): Promise<{ indexed: boolean }> {
    await this.spaces.open(tenant).meet();
    const { result: ids } = await this.ledger.write(tenant, workspace, cause, async (tx) => {
      const removed = await deleteMemories(tx, workspace, [id], this.vectors.modelsFor(tenant));
      if (removed.length === 0) throw new MemoryNotFound();
      return removed;
    });
    return this.settled(tenant, ids);
  }

  /** Deletes every memory that has one of these tags; their ids. */
  async removeByTag(
    tenant: Tenant,
    workspace: WorkspaceId,
    tags: string[],
    cause: Cause,
  ): Promise<{ ids: string[]; indexed: boolean }> {
    await this.spaces.open(tenant).meet();
    const { result: ids } = await this.ledger.write(tenant, workspace, cause, async (tx) => {
      const rows = await tx.rows<{ id: string }>(
        `SELECT id FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND ${sharesTag('$3::text[]')}`,
        [tenant.id, workspace, tags],
      );
      const found = rows.map((row) => row.id);
      return deleteMemories(tx, workspace, found, this.vectors.modelsFor(tenant));
    });
    return { ids, ...(await this.settled(tenant, ids)) };
  }

  private async settled(tenant: Tenant, ids: string[]): Promise<{ indexed: boolean }> {
    if (ids.length > 0) this.backfill.ring();
    return { indexed: await this.spaces.open(tenant).indexed() };
  }

  /** Takes a memory out of the chain it was in and into the one where it now belongs; who follows another than before. */
  private async move(
    tx: LedgerWrite,
    workspace: WorkspaceId,
    memory: Memory,
    position: number,
  ): Promise<string[]> {
    const followers = await closeGap(tx, workspace, [memory.id]);
    await setPrevious(tx, workspace, [{ id: memory.id, previous: null }]);
    if (memory.session === null) return followers;
    const { id, session, timestamp } = memory;
    const place = await placeInSession(tx, workspace, session, [{ id, session, timestamp, position }]);
    await setPrevious(tx, workspace, [{ id, previous: place.previous.get(id) ?? null }, ...place.displaced]);
    return [...new Set([...followers, ...place.displaced.map((link) => link.id)])];
  }

  private async keepSnapshot(
    tx: LedgerWrite,
    workspace: WorkspaceId,
    memory: Memory,
    revision: number,
  ): Promise<void> {
    const place = snapshotPlace(workspace, memory.id, revision);
    await tx.rows(
      `INSERT INTO memory_history (tenant_id, workspace_id, memory_id, revision, snapshot) VALUES ($1, $2, $3, $4, $5)`,
      [tx.tenant.id, workspace, memory.id, revision, tx.tenant.key.seal(JSON.stringify(memory), place)],
    );
  }

  private async write(
    tx: LedgerWrite,
    workspace: WorkspaceId,
    memory: Memory,
    typeGiven: boolean,
  ): Promise<void> {
    const { key } = tx.tenant;
    const content = sealContent(key, workspace, memory.id, memory.content);
    const metadata = sealMetadata(key, workspace, memory.id, memory.metadata);
    const source = sealSource(key, workspace, memory.id, memory.source);
    await tx.rows(
      `UPDATE memories SET type = $4, tags = $5, importance = $6, confidence = $7, timestamp = $8, t_valid = $9, t_invalid = $10,
         session_id = $11, user_id = $12, agent_id = $13, content = $14, metadata = $15, alone_hash = $16, duplicate_hash = $17,
         bytes = $18, updated_at = $19, type_given = $20, source = $21
       WHERE tenant_id = $1 AND workspace_id = $2 AND id = $3`,
      [
        tx.tenant.id,
        workspace,
        memory.id,
        memory.type,
        memory.tags,
        memory.importance,
        memory.confidence,
        memory.timestamp,
        memory.validFrom,
        memory.validUntil,
        memory.session,
        memory.user,
        memory.agent,
        content,
        metadata,
        textHash(key, memory.content),
        // Who sends it again without a type sends the same.
        duplicateHash(tx.tenant, typeGiven ? memory : { ...memory, type: classify(memory.content) }),
        content.length + metadata.length + (source?.length ?? 0),
        memory.updatedAt,
        typeGiven,
        source,
      ],
    );
  }
}

async function followersOf(tx: LedgerWrite, workspace: WorkspaceId, id: string): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>(
    `SELECT id FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND previous_id = $3`,
    [tx.tenant.id, workspace, id],
  );
  return rows.map((row) => row.id);
}

async function relationsOf(tx: LedgerWrite, workspace: WorkspaceId, id: string): Promise<string[]> {
  const rows = await tx.rows<{ id: string }>(
    `SELECT id FROM relations WHERE tenant_id = $1 AND workspace_id = $2 AND (from_id = $3 OR to_id = $3)`,
    [tx.tenant.id, workspace, id],
  );
  return rows.map((row) => row.id);
}

function withoutVector(edit: MemoryEdit): Omit<MemoryEdit, 'embedding'> {
  const fields = { ...edit };
  delete fields.embedding;
  return fields;
}
