import { createHash } from 'node:crypto';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/**
 * The id under which a memory is stored: its own where that is a UUID, and otherwise a UUID that is made of it and comes
 * out the same each time (RFC 9562, version 8: here of SHA-256). `origin` tells the `1` of one system from another's.
 */
export function idOf(own: string, origin: string): string {
  if (isUuid(own)) return own.toLowerCase();
  const bytes = createHash('sha256').update(`loci import\0${origin}\0${own}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
