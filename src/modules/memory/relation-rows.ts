import { randomUUID } from 'node:crypto';
import type { QueryResultRow } from 'pg';
import type { LedgerRead } from '../../ledger/ledger.js';
import type { LedgerWrite } from '../../ledger/ledger-write.js';
import { openAttributes, sealAttributes } from '../../ledger/sealed-memory.js';
import { canonicalJson } from '../../platform/canonical-json.js';
import type { Tenant } from '../../tenancy/principal.js';
import { isUuid, type WorkspaceId } from '../../tenancy/tenant.js';
import type { RelationAttributes, RelationType } from './relation-types.js';

export interface RelationDraft {
  from: string;
  to: string;
  type: RelationType;
  /** 0..1, as a 32-bit float holds it */
  strength: number;
  attributes: RelationAttributes;
}

/** A relation as the ledger keeps it. */
export interface Relation {
  id: string;
  from: string;
  to: string;
  type: string;
  /** 0..1 */
  strength: number;
  attributes: RelationAttributes;
}

/** `missing`: one of the memories is not there. `changed` is false where it was there already, just so. */
export type RelateOutcome = { outcome: 'related'; id: string; changed: boolean } | { outcome: 'missing' };

export interface RelationRow extends QueryResultRow {
  id: string;
  from_id: string;
  to_id: string;
  type: string;
  strength: number;
  attributes: Buffer | null;
}

export const RELATION_COLUMNS = 'id, from_id, to_id, type, strength, attributes';

/** The same of `relations r`, where other tables have columns of these names. */
export const PREFIXED_RELATION_COLUMNS = RELATION_COLUMNS.replaceAll(/\w+/g, 'r.$&');

export function relationOf(tenant: Tenant, workspace: WorkspaceId, row: RelationRow): Relation {
  const { id, from_id: from, to_id: to, type, strength } = row;
  const attributes = row.attributes === null ? {} : openAttributes(tenant.key, workspace, id, row.attributes);
  return { id, from, to, type, strength, attributes };
}

/** Those of the relations that are there, by their ids. */
export async function readRelations(
  tx: LedgerRead | LedgerWrite,
  workspace: WorkspaceId,
  ids: readonly string[],
): Promise<Map<string, Relation>> {
  const rows = await tx.rows<RelationRow>(
    `SELECT ${RELATION_COLUMNS} FROM relations WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[])`,
    [tx.tenant.id, workspace, ids.filter(isUuid)],
  );
  return new Map(rows.map((row) => [row.id, relationOf(tx.tenant, workspace, row)]));
}

/**
 * Relates memories of one workspace. The same ends and type again: the new strength holds, and of the attributes those
 * that are given; where nothing of it is new, nothing changes. So whoever repeats a request whose answer was lost
 * changes nothing by it.
 * One outcome for each draft, in order; `written` are the relations that are new or other than before.
 */
export async function relateMemories(
  tx: LedgerWrite,
  workspace: WorkspaceId,
  drafts: readonly RelationDraft[],
): Promise<{ outcomes: RelateOutcome[]; written: Relation[] }> {
  const asked = [...new Map(drafts.map((draft) => [nameOf(draft), draft])).values()];
  const ends = [...new Set(asked.flatMap(({ from, to }) => [from, to]))];
  const [found, there] = await Promise.all([
    tx.rows<QueryResultRow & { id: string }>(ENDS, [tx.tenant.id, workspace, ends]),
    tx.rows<RelationRow>(THERE, [tx.tenant.id, workspace, ...columnsOf(asked)]),
  ]);
  const known = new Set(found.map(({ id }) => id));
  const held = new Map(
    there.map((row) => {
      const relation = relationOf(tx.tenant, workspace, row);
      return [nameOf(relation), relation];
    }),
  );
  const written: Relation[] = [];
  const outcomes = new Map<string, RelateOutcome>();
  for (const draft of asked) {
    const name = nameOf(draft);
    if (!known.has(draft.from) || !known.has(draft.to)) {
      outcomes.set(name, { outcome: 'missing' });
      continue;
    }
    const before = held.get(name);
    const after: Relation = {
      ...draft,
      id: before?.id ?? randomUUID(),
      attributes: { ...before?.attributes, ...draft.attributes },
    };
    const changed = before === undefined || !saysTheSame(before, after);
    if (changed) written.push(after);
    outcomes.set(name, { outcome: 'related', id: after.id, changed });
  }
  write(tx, workspace, written);
  return { outcomes: drafts.map((draft) => outcomes.get(nameOf(draft)) ?? { outcome: 'missing' }), written };
}

function write(tx: LedgerWrite, workspace: WorkspaceId, relations: readonly Relation[]): void {
  if (relations.length === 0) return;
  const revisions = relations.map(({ id }) => tx.changed(workspace, 'relation', id));
  tx.send(UPSERT, [
    tx.tenant.id,
    workspace,
    ...columnsOf(relations),
    relations.map(({ id }) => id),
    relations.map(({ strength }) => strength),
    relations.map(({ id, attributes }) =>
      Object.keys(attributes).length === 0 ? null : sealAttributes(tx.tenant.key, workspace, id, attributes),
    ),
    revisions,
  ]);
}

function saysTheSame(a: Relation, b: Relation): boolean {
  const sameStrength = Math.fround(a.strength) === Math.fround(b.strength);
  return sameStrength && canonicalJson(a.attributes) === canonicalJson(b.attributes);
}

/** At most one relation has the same ends and type. */
function nameOf({ from, to, type }: Pick<Relation, 'from' | 'to' | 'type'>): string {
  return `${from}/${type}/${to}`;
}

function columnsOf(relations: readonly Pick<Relation, 'from' | 'to' | 'type'>[]): string[][] {
  return [
    relations.map(({ from }) => from),
    relations.map(({ to }) => to),
    relations.map(({ type }) => type),
  ];
}

const ENDS = `SELECT id FROM memories WHERE tenant_id = $1 AND workspace_id = $2 AND id = ANY($3::uuid[])`;

const THERE = `
SELECT r.id, r.from_id, r.to_id, r.type, r.strength, r.attributes
FROM unnest($3::uuid[], $4::uuid[], $5::text[]) AS w (from_id, to_id, type)
JOIN relations r ON r.tenant_id = $1 AND r.workspace_id = $2
  AND r.from_id = w.from_id AND r.to_id = w.to_id AND r.type = w.type`;

const UPSERT = `
INSERT INTO relations (tenant_id, workspace_id, from_id, to_id, type, id, strength, attributes, position, edited)
SELECT $1, $2, n.*, n.revision
FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::real[], $8::bytea[], $9::bigint[])
  AS n (from_id, to_id, type, id, strength, attributes, revision)
ON CONFLICT (tenant_id, workspace_id, from_id, to_id, type) DO UPDATE
  SET strength = excluded.strength, attributes = excluded.attributes, edited = excluded.edited, updated_at = now()`;
