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

/** A master key, for the only thing that it does: wrapping other keys. */
class WrappingKey {
  /** Tells this master key from another, and nothing else of it: 8 bytes. */
  readonly name: Buffer;
  private readonly wrapping: KeyObject;

  constructor(key: Buffer) {
    this.wrapping = derive(key, 'loci wrapping');
    this.name = derive(key, 'loci master key name').export().subarray(0, 8);
  }

  wrap(key: Buffer, purpose: string): Buffer {
    return seal(this.wrapping, key, purpose);
  }

  /** Null where it was wrapped by another. */
  unwrap(wrapped: Buffer, purpose: string): Buffer | null {
    try {
      return open(this.wrapping, wrapped, purpose);
    } catch {
      return null;
    }
  }
}

const INSTALLATION = 'installation-key';

/**
 * The master keys of this process, and what they wrap: each tenant's key, and the installation's own, which seals and signs
 * what belongs to no tenant. Usually there is one; while it is rotated there are two, and what either wraps is opened.
 */
export class MasterKey {
  /** The first is the one that a rotation leads to. */
  private keys: WrappingKey[];
  private installation: Buffer;
  private sealing: KeyObject;
  private hashing: KeyObject;

  /** 32 bytes each. `previous`: the one that is being replaced. */
  constructor(key: Buffer, previous: Buffer | null = null) {
    this.keys = [key, ...(previous === null ? [] : [previous])].map((each) => new WrappingKey(each));
    // Until the ledger has said what it is, as in a ledger from before there was one.
    [this.installation, this.sealing, this.hashing] = ofInstallation(previous ?? key);
  }

  /** The names of all that are known here, the one that a rotation leads to first. 8 bytes each. */
  get names(): Buffer[] {
    return this.keys.map(({ name }) => name);
  }

  /** The one that a rotation leads to. */
  get target(): Buffer {
    return this.first.name;
  }

  /** Another key that takes the place of all known ones: they are opened on, and a rotation leads to it. */
  succeed(key: Buffer): void {
    const successor = new WrappingKey(key);
    if (!successor.name.equals(this.target)) this.keys = [successor, ...this.keys];
  }

  /** The same installation always gives the same value, which tells nothing of any key: 32 bytes. */
  get check(): Buffer {
    return this.hash('master key check');
  }

  hash(purpose: string, ...parts: string[]): Buffer {
    return hash(this.hashing, purpose, parts);
  }

  /** A new installation's key becomes this one's. */
  mintInstallation(): void {
    [this.installation, this.sealing, this.hashing] = ofInstallation(randomBytes(32));
  }

  wrapInstallation(by: Buffer = this.target): Buffer {
    return this.named(by).wrap(this.installation, INSTALLATION);
  }

  /** The key that this ledger's installation has. False: none of the master keys known here has wrapped it. */
  openInstallation(wrapped: Buffer): boolean {
    const key = this.unwrapped(wrapped, INSTALLATION);
    if (key === null) return false;
    [this.installation, this.sealing, this.hashing] = ofInstallation(key);
    return true;
  }

  /** A new tenant's key, wrapped: the only form in which it is ever stored. `by`: the name of the key that wraps. */
  mint(tenant: TenantId, by: Buffer = this.target): Buffer {
    return this.named(by).wrap(randomBytes(32), purposeOf(tenant));
  }

  unwrap(tenant: TenantId, wrapped: Buffer): TenantKey {
    return new TenantKey(tenant, this.tenantKey(tenant, wrapped));
  }

  /** The same key, wrapped by the one that a rotation leads to. */
  rewrap(tenant: TenantId, wrapped: Buffer): Buffer {
    return this.first.wrap(this.tenantKey(tenant, wrapped), purposeOf(tenant));
  }

  seal(plain: Buffer | string, place: Place): Buffer {
    return seal(this.sealing, plain, `installation|${place.table}|${place.row}|${place.column}`);
  }

  open(sealed: Buffer, place: Place): Buffer {
    return open(this.sealing, sealed, `installation|${place.table}|${place.row}|${place.column}`);
  }

  private get first(): WrappingKey {
    return this.named(null);
  }

  /** Null: the one that a rotation leads to. */
  private named(name: Buffer | null): WrappingKey {
    const key = this.keys.find((each) => name === null || each.name.equals(name));
    if (key === undefined) throw new Error('This process does not have the master key that the ledger names');
    return key;
  }

  private tenantKey(tenant: TenantId, wrapped: Buffer): Buffer {
    const key = this.unwrapped(wrapped, purposeOf(tenant));
    if (key === null) throw new Error(`No master key of this process opens the key of tenant ${tenant}`);
    return key;
  }

  private unwrapped(wrapped: Buffer, purpose: string): Buffer | null {
    for (const key of this.keys) {
      const opened = key.unwrap(wrapped, purpose);
      if (opened !== null) return opened;
    }
    return null;
  }
}

function purposeOf(tenant: TenantId): string {
  return `tenant-key|${tenant}`;
}

function ofInstallation(key: Buffer): [Buffer, KeyObject, KeyObject] {
  return [key, derive(key, 'loci installation'), derive(key, 'loci installation hashing')];
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
