import { hash, randomBytes } from 'node:crypto';

/** `loci_live_<id>_<secret><checksum>`: 12, 43 and 6 characters of base 62. */
const SHAPE = /^loci_(live|test)_([0-9A-Za-z]{12})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;
const PREFIX = /^loci_(live|test)_/;
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export type KeyEnvironment = 'live' | 'test';

/** A key as it is shown, once. `prefix` is what lists show of it. */
export interface MintedKey {
  key: string;
  prefix: string;
  hash: Buffer;
}

/** A new key whose secret holds 256 bits. */
export function mintKey(environment: KeyEnvironment): MintedKey {
  const id = randomBase62(12);
  const key = withChecksum(`loci_${environment}_${id}_${randomBase62(43)}`);
  return { key, prefix: `loci_${environment}_${id}`, hash: hashToken(key) };
}

/** A token that the tenant already had; its prefix shows the first four characters. */
export function bringToken(token: string): MintedKey {
  return { key: token, prefix: `${token.slice(0, 4)}…`, hash: hashToken(token) };
}

/** What the ledger keeps of a token. Secrets of 256 bits need no slow hash. */
export function hashToken(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}

/** Whether a token claims to be a Loci key. */
export function isOwnShape(token: string): boolean {
  return PREFIX.test(token);
}

/** False for a token that claims to be a Loci key and has a typing mistake: no need to ask the database. */
export function isPlausible(token: string): boolean {
  if (!isOwnShape(token)) return token.length >= 8 && token.length <= 512;
  return SHAPE.test(token) && token === withChecksum(token.slice(0, -6));
}

/** A key's six last characters follow from those before them. */
export function withChecksum(body: string): string {
  let value = hashToken(body).readUIntBE(0, 5);
  let key = body;
  for (let i = 0; i < 6; i++) {
    key += ALPHABET.charAt(value % 62);
    value = Math.floor(value / 62);
  }
  return key;
}

function randomBase62(length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      // 248 is the largest multiple of 62 in a byte: beyond it, some characters would be likelier.
      if (byte < 248 && text.length < length) text += ALPHABET.charAt(byte % 62);
    }
  }
  return text;
}
