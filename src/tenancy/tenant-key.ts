import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import type { TenantId } from './tenant.js';

/** Where a sealed value belongs. It opens nowhere else: the place is part of what is authenticated. */
export interface Place {
  table: string;
  row: string;
  column: string;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
/** By how much a sealed value is longer than the plain one. */
export const SEAL_BYTES = IV_BYTES + TAG_BYTES;

/**
 * A tenant's own key. Seals with AES-256-GCM, associated data `tenant|table|row|column`; a sealed value is
 * 12 bytes of nonce, 16 of tag, then the ciphertext. Nonces are random, good for some 2^32 values for each tenant.
 */
export class TenantKey {
  /** Tells this key from another of the same tenant's, and nothing else of it. */
  readonly name: string;
  private readonly sealing: KeyObject;
  private readonly hashing: KeyObject;

  constructor(
    private readonly tenant: TenantId,
    key: Buffer,
  ) {
    this.sealing = derive(key, 'loci sealing');
    this.hashing = derive(key, 'loci hashing');
    this.name = derive(key, 'loci name').export().toString('hex', 0, 8);
  }

  seal(plain: Buffer | string, place: Place): Buffer {
    return seal(this.sealing, plain, this.associated(place));
  }

  /** Throws where the value was altered, or sealed for another place or tenant. */
  open(sealed: Buffer, place: Place): Buffer {
    return open(this.sealing, sealed, this.associated(place));
  }

  /** Equal parts give equal hashes within this tenant, and unrelated ones in any other. 32 bytes. */
  hash(purpose: string, ...parts: string[]): Buffer {
    return hash(this.hashing, purpose, parts);
  }

  private associated(place: Place): string {
    return `${this.tenant}|${place.table}|${place.row}|${place.column}`;
  }
}

/** The installation's key: wraps each tenant's, and seals what belongs to no tenant. */
export class MasterKey {
  private readonly wrapping: KeyObject;
  private readonly sealing: KeyObject;
  private readonly hashing: KeyObject;

  /** `key`: 32 bytes. */
  constructor(key: Buffer) {
    this.wrapping = derive(key, 'loci wrapping');
    this.sealing = derive(key, 'loci installation');
    this.hashing = derive(key, 'loci installation hashing');
  }

  /** The same key always gives the same value, which tells nothing of it: 32 bytes. */
  get check(): Buffer {
    return this.hash('master key check');
  }

  hash(purpose: string, ...parts: string[]): Buffer {
    return hash(this.hashing, purpose, parts);
  }

  /** A new tenant's key, wrapped: the only form in which it is ever stored. */
  mint(tenant: TenantId): Buffer {
    return seal(this.wrapping, randomBytes(32), `tenant-key|${tenant}`);
  }

  unwrap(tenant: TenantId, wrapped: Buffer): TenantKey {
    return new TenantKey(tenant, open(this.wrapping, wrapped, `tenant-key|${tenant}`));
  }

  seal(plain: Buffer | string, place: Place): Buffer {
    return seal(this.sealing, plain, `installation|${place.table}|${place.row}|${place.column}`);
  }

  open(sealed: Buffer, place: Place): Buffer {
    return open(this.sealing, sealed, `installation|${place.table}|${place.row}|${place.column}`);
  }
}

/** As a key object, made once: from bytes Node would make one anew for each call, at twice the price of sealing. */
function derive(key: Buffer, purpose: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), purpose, 32)));
}

function hash(key: KeyObject, purpose: string, parts: string[]): Buffer {
  const hmac = createHmac('sha256', key).update(purpose);
  for (const part of parts) {
    // Each part is preceded by its length, so that ('ab', 'c') and ('a', 'bc') differ.
    hmac.update(`|${Buffer.byteLength(part)}|`).update(part);
  }
  return hmac.digest();
}

let nonces = Buffer.alloc(0);

/** Never given twice. Drawn many at a time: asking the system for each costs more than sealing a short text. */
function nextNonce(): Buffer {
  if (nonces.length === 0) nonces = randomBytes(IV_BYTES * 256);
  const nonce = nonces.subarray(0, IV_BYTES);
  nonces = nonces.subarray(IV_BYTES);
  return nonce;
}

function seal(key: KeyObject, plain: Buffer | string, associated: string): Buffer {
  const iv = nextNonce();
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  cipher.setAAD(Buffer.from(associated));
  const text = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain);
  const rest = cipher.final();
  return Buffer.concat([iv, cipher.getAuthTag(), text, rest]);
}

function open(key: KeyObject, sealed: Buffer, associated: string): Buffer {
  const cipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, IV_BYTES), {
    authTagLength: TAG_BYTES,
  });
  cipher.setAAD(Buffer.from(associated));
  cipher.setAuthTag(sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  const text = cipher.update(sealed.subarray(IV_BYTES + TAG_BYTES));
  return Buffer.concat([text, cipher.final()]);
}
