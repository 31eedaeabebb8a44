import { createHash } from 'node:crypto';
import type { ImportRecord } from './import-source.js';
import { idOf, isUuid } from './record-ids.js';

/** A record as its route takes it, and the workspace it belongs to: the one it names, or the one of the whole import. */
export interface Wanted {
  record: ImportRecord;
  workspace: string | null;
  body: Record<string, unknown>;
}

/**
 * Ids are kept, so that a second run finds what the first one stored. A memory without one is known by its fields; one
 * whose id is no UUID gets a UUID made of it, and keeps the old one in `metadata.source_id`.
 */
export function memoryBody(record: ImportRecord, workspace: string | null, origin: string): Wanted {
  const { workspace: where, fields } = placed(record, workspace);
  const { id, memory_id, ...rest } = fields;
  const own = textOf(id ?? memory_id);
  if (own === null) {
    const whole = createHash('sha256').update(JSON.stringify(rest)).digest('hex');
    return { record, workspace: where, body: { ...rest, id: idOf(whole, origin) } };
  }
  const body = { ...rest, id: idOf(own, origin) };
  if (isUuid(own)) return { record, workspace: where, body };
  const metadata = rest['metadata'] ?? {};
  const kept = isObject(metadata) ? { source_id: own, ...metadata } : metadata;
  return { record, workspace: where, body: { ...body, metadata: kept } };
}

export function relationBody(record: ImportRecord, workspace: string | null, origin: string): Wanted {
  const { workspace: where, fields } = placed(record, workspace);
  const { memory1_id, memory2_id, ...rest } = fields;
  const end = (value: unknown): unknown => {
    const own = textOf(value);
    return own === null ? value : idOf(own, origin);
  };
  return {
    record,
    workspace: where,
    body: { ...rest, memory1_id: end(memory1_id), memory2_id: end(memory2_id) },
  };
}

/** An agent is known by its slug, which is made from its name where it has none. */
export function agentBody(record: ImportRecord, workspace: string | null): Wanted {
  const { workspace: where, fields } = placed(record, workspace);
  const { id: _, slug, ...rest } = fields;
  return { record, workspace: where, body: { ...rest, slug: slug ?? slugOf(fields['name']) } };
}

function placed(
  { fields }: ImportRecord,
  workspace: string | null,
): { workspace: string | null; fields: Record<string, unknown> } {
  const { workspace_id, ...rest } = fields;
  return { workspace: textOf(workspace_id) ?? workspace, fields: rest };
}

function slugOf(name: unknown): string {
  return (textOf(name) ?? '')
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}+/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 48)
    .replace(/^-+|-+$/g, '');
}

function textOf(value: unknown): string | null {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
