import { Injectable } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import type { Cause } from '../../ledger/cause.js';
import { entityKey, openEntityName, VALID_MENTIONS } from '../../ledger/entity-names.js';
import { Ledger, type LedgerRead } from '../../ledger/ledger.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import { Spaces } from '../../spaces/spaces.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { memoryOf, MEMORY_COLUMNS, type MemoryRow } from '../memory/memory-rows.js';
import type { Memory } from '../memory/memory.js';
import { EntityInvalid, EntityNotFound } from './enrichment.errors.js';
import { ENTITY_KINDS, isEntityKind, slugOf, type EntityKind } from './entity-kinds.js';

/** Somebody or something that memories of a workspace name. */
export interface Entity {
  kind: EntityKind;
  slug: string;
  name: string;
  /** Other names that it goes by: as they are written, or merged into it. */
  aliases: string[];
  mentions: number;
  firstMentioned: Date;
  lastMentioned: Date;
}

export interface EntityMerge {
  entity: Entity;
  /** How many memories name it otherwise than before. */
  moved: number;
}

interface FormRow extends QueryResultRow {
  entity: string;
  kind: EntityKind;
  mentions: string;
  first_mentioned: Date;
  last_mentioned: Date;
  found: string;
  memory_id: string;
  name: Buffer;
}

interface KnownEntity extends Entity {
  key: string;
}

/** Who is named in a workspace's memories, and in which. */
@Injectable()
export class EntitiesService {
  constructor(
    private readonly ledger: Ledger,
    private readonly spaces: Spaces,
  ) {}

  /** The most named first; `skip` of them left out. */
  async list(
    tenant: Tenant,
    workspace: WorkspaceId,
    { kind, limit, skip }: { kind: EntityKind | null; limit: number; skip: number },
  ): Promise<Entity[]> {
    return this.ledger.read(tenant, workspace, (tx) => read(tx, workspace, null, kind, limit, skip));
  }

  /** With the newest memories that name it. Throws `EntityNotFound`. */
  async get(
    tenant: Tenant,
    workspace: WorkspaceId,
    slug: string,
    limit: number,
  ): Promise<{ entity: Entity; memories: Memory[] }> {
    return this.ledger.read(tenant, workspace, async (tx) => {
      const entity = await known(tx, workspace, slug);
      const rows = await tx.rows<MemoryRow>(NAMING, [tenant.id, workspace, entity.key, limit]);
      return { entity, memories: rows.map((row) => memoryOf(tenant, row)) };
    });
  }

  /**
   * Makes one entity the other, in what is stored and in what will be: every memory that names it now bears the other's
   * tag. Throws `EntityNotFound`, `EntityInvalid`.
   */
  async merge(
    tenant: Tenant,
    workspace: WorkspaceId,
    slug: string,
    into: string,
    cause: Cause,
  ): Promise<EntityMerge> {
    const space = this.spaces.open(tenant);
    await space.meet();
    const { result } = await this.ledger.write(tenant, workspace, cause, async (tx) => {
      const from = await known(tx, workspace, slug);
      const to = await known(tx, workspace, into);
      if (from.key === to.key) throw new EntityInvalid();
      await tx.rows(FORGET_ALIAS, [tenant.id, workspace, to.key]);
      await tx.rows(ALIAS, [tenant.id, workspace, from.key, to.key, to.kind]);
      const moved = await tx.rows<{ memory_id: string }>(MOVE, [
        tenant.id,
        workspace,
        from.key,
        to.key,
        to.kind,
      ]);
      const ids = [...new Set(moved.map((row) => row.memory_id))];
      for (const id of ids) tx.changed(workspace, 'memory', id);
      const names = { before: { name: from.name }, after: { name: to.name } };
      tx.record('entity.merge', workspace, null, names);
      return { entity: await known(tx, workspace, `${to.kind}:${to.slug}`), moved: ids.length };
    });
    await space.indexed();
    return result;
  }
}

/** By a slug, or by `<kind>:<slug>` as its tag has it; of several the most named. Throws `EntityNotFound`. */
async function known(
  tx: LedgerRead | LedgerWrite,
  workspace: WorkspaceId,
  wording: string,
): Promise<KnownEntity> {
  const named = wording.replace(/^entity:/, '');
  const [kind = '', rest] = named.split(/:(.*)/s);
  const kinds = rest !== undefined && isEntityKind(kind) ? [kind] : ENTITY_KINDS;
  const slug = slugOf(rest !== undefined && isEntityKind(kind) ? rest : named);
  const keys = kinds.map((each) => entityKey(tx.tenant.key, each, slug));
  const [entity] = await read(tx, workspace, keys, null, 1, 0);
  if (entity === undefined) throw new EntityNotFound();
  return entity;
}

async function read(
  tx: LedgerRead | LedgerWrite,
  workspace: WorkspaceId,
  keys: string[] | null,
  kind: EntityKind | null,
  limit: number,
  skip: number,
): Promise<KnownEntity[]> {
  const rows = await tx.rows<FormRow>(ENTITIES, [tx.tenant.id, workspace, keys, kind, limit, skip]);
  const forms = new Map<string, FormRow[]>();
  for (const row of rows) forms.set(row.entity, [...(forms.get(row.entity) ?? []), row]);
  return [...forms].flatMap(([key, ofEntity]) => {
    const names = ofEntity.map((row) =>
      openEntityName(tx.tenant.key, workspace, row.memory_id, row.found, row.name),
    );
    // Its own name comes first, wherever a memory still has it.
    const [first, name] = [ofEntity[0], names[0]];
    if (first === undefined || name === undefined) return [];
    return {
      key,
      kind: first.kind,
      slug: slugOf(name),
      name,
      aliases: [...new Set(names.slice(1))].filter((alias) => alias !== name),
      mentions: Number(first.mentions),
      firstMentioned: first.first_mentioned,
      lastMentioned: first.last_mentioned,
    };
  });
}

const ENTITIES = `
WITH wanted AS (
  SELECT a.entity FROM entity_aliases a WHERE a.tenant_id = $1 AND a.workspace_id = $2 AND a.found = ANY($3::text[])
  UNION SELECT unnest($3::text[])
), counted AS (
  SELECT n.entity, max(n.kind) AS kind, count(DISTINCT n.memory_id) AS mentions, min(m.timestamp) AS first_mentioned,
    max(m.timestamp) AS last_mentioned
  FROM ${VALID_MENTIONS}
  WHERE n.tenant_id = $1 AND n.workspace_id = $2 AND ($3::text[] IS NULL OR n.entity IN (SELECT entity FROM wanted))
    AND ($4::text IS NULL OR n.kind = $4)
  GROUP BY n.entity ORDER BY 3 DESC, n.entity LIMIT $5 OFFSET $6
)
SELECT c.*, f.found, f.memory_id, f.name FROM counted c CROSS JOIN LATERAL (
  SELECT DISTINCT ON (n.found) n.found, n.memory_id, n.name FROM ${VALID_MENTIONS}
  WHERE n.tenant_id = $1 AND n.workspace_id = $2 AND n.entity = c.entity
  ORDER BY n.found, m.timestamp
) f
ORDER BY c.mentions DESC, c.entity, f.found <> c.entity, f.found`;

const NAMING = `
SELECT ${MEMORY_COLUMNS} FROM memories m
WHERE tenant_id = $1 AND workspace_id = $2 AND id IN (
  SELECT n.memory_id FROM mentions n
  WHERE n.tenant_id = $1 AND n.workspace_id = $2 AND n.entity = $3 AND n.hash = m.alone_hash)
ORDER BY timestamp DESC, id DESC LIMIT $4`;

/** Every name that it goes by, and whatever was merged into it before, is the other from here on. */
const ALIAS = `
INSERT INTO entity_aliases (tenant_id, workspace_id, found, kind, entity)
SELECT $1, $2, found, $5, $4 FROM (
  SELECT $3::text AS found
  UNION SELECT found FROM mentions WHERE tenant_id = $1 AND workspace_id = $2 AND entity = $3
  UNION SELECT found FROM entity_aliases WHERE tenant_id = $1 AND workspace_id = $2 AND entity = $3
) names WHERE found <> $4
ON CONFLICT (tenant_id, workspace_id, found) DO UPDATE SET kind = excluded.kind, entity = excluded.entity`;

/** Whoever was merged away before, and now is what others are merged into, is itself again. */
const FORGET_ALIAS = `DELETE FROM entity_aliases WHERE tenant_id = $1 AND workspace_id = $2 AND found = $3`;

const MOVE = `
UPDATE mentions SET entity = $4, kind = $5 WHERE tenant_id = $1 AND workspace_id = $2 AND entity = $3
RETURNING memory_id`;
