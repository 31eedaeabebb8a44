import type { Place, TenantKey } from '../tenancy/tenant-key.js';
import type { WorkspaceId } from '../tenancy/tenant.js';

/** Which part of a memory a vector is of: its text alone, or joined to the memory before it. */
export type Part = 'alone' | 'joined';

/** The text that is embedded as a memory's `joined` part. */
export function joinedText(previous: string, content: string): string {
  return `${previous}\n${content}`;
}

export function sealContent(key: TenantKey, workspace: WorkspaceId, id: string, content: string): Buffer {
  return key.seal(content, contentPlace(workspace, id));
}

export function openContent(key: TenantKey, workspace: WorkspaceId, id: string, sealed: Buffer): string {
  return key.open(sealed, contentPlace(workspace, id)).toString('utf8');
}

export function sealMetadata(key: TenantKey, workspace: WorkspaceId, id: string, metadata: object): Buffer {
  return key.seal(JSON.stringify(metadata), { ...contentPlace(workspace, id), column: 'metadata' });
}

export function openMetadata(
  key: TenantKey,
  workspace: WorkspaceId,
  id: string,
  sealed: Buffer,
): Record<string, unknown> {
  const place = { ...contentPlace(workspace, id), column: 'metadata' };
  return JSON.parse(key.open(sealed, place).toString('utf8')) as Record<string, unknown>;
}

export function sealSource(
  key: TenantKey,
  workspace: WorkspaceId,
  id: string,
  source: string | null,
): Buffer | null {
  return source === null ? null : key.seal(source, { ...contentPlace(workspace, id), column: 'source' });
}

export function openSource(
  key: TenantKey,
  workspace: WorkspaceId,
  id: string,
  sealed: Buffer | null,
): string | null {
  const place = { ...contentPlace(workspace, id), column: 'source' };
  return sealed === null ? null : key.open(sealed, place).toString('utf8');
}

export function sealAttributes(
  key: TenantKey,
  workspace: WorkspaceId,
  relation: string,
  attributes: object,
): Buffer {
  return key.seal(JSON.stringify(attributes), attributesPlace(workspace, relation));
}

export function openAttributes(
  key: TenantKey,
  workspace: WorkspaceId,
  relation: string,
  sealed: Buffer,
): Record<string, unknown> {
  const plain = key.open(sealed, attributesPlace(workspace, relation)).toString('utf8');
  return JSON.parse(plain) as Record<string, unknown>;
}

/** Vectors are kept as little-endian 32-bit floats. */
export function sealVector(
  key: TenantKey,
  workspace: WorkspaceId,
  id: string,
  part: Part,
  vector: Float32Array,
): Buffer {
  const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
  return key.seal(bytes, vectorPlace(workspace, id, part));
}

export function openVector(
  key: TenantKey,
  workspace: WorkspaceId,
  id: string,
  part: Part,
  sealed: Buffer,
): Float32Array {
  // Copied, because a view of floats must begin at a multiple of four.
  const bytes = new Uint8Array(key.open(sealed, vectorPlace(workspace, id, part)));
  return new Float32Array(bytes.buffer);
}

/** Equal texts of one tenant have equal hashes, so that none is embedded twice. */
export function textHash(key: TenantKey, text: string): Buffer {
  return key.hash('text', text);
}

function contentPlace(workspace: WorkspaceId, id: string): Place {
  return { table: 'memories', row: `${workspace}/${id}`, column: 'content' };
}

function attributesPlace(workspace: WorkspaceId, relation: string): Place {
  return { table: 'relations', row: `${workspace}/${relation}`, column: 'attributes' };
}

function vectorPlace(workspace: WorkspaceId, id: string, part: Part): Place {
  return { table: 'embeddings', row: `${workspace}/${id}/${part}`, column: 'vector' };
}
