import { randomBytes } from 'node:crypto';
import type { DataFolder } from './data-folder.js';

const KEY = 'master-key';
const NEXT = 'master-key-next';

/**
 * The master key where no setting gives one: a file of the data folder, made at the first start. While it is rotated the
 * next one lies beside it, and takes its place when nothing is wrapped by the old one any more; so whenever a rotation
 * is cut off, every key that it needs is there.
 */
export class MasterKeyFile {
  constructor(private readonly folder: DataFolder) {}

  /** 32 bytes. `next`: a rotation was cut off. */
  async read(): Promise<{ key: Buffer; next: Buffer | null }> {
    const key = await this.folder.secret(KEY, newKey);
    const next = await this.folder.knownSecret(NEXT);
    return { key: fromBase64(key), next: next === null ? null : fromBase64(next) };
  }

  /** The one that takes its place, made now unless it was before. On disk before it is used. */
  async next(): Promise<Buffer> {
    return fromBase64(await this.folder.secret(NEXT, newKey));
  }

  /** Call it when nothing is wrapped by the old one any more: it is gone afterwards. */
  settle(): Promise<void> {
    return this.folder.replaceSecret(NEXT, KEY);
  }
}

function newKey(): string {
  return randomBytes(32).toString('base64');
}

function fromBase64(text: string): Buffer {
  return Buffer.from(text, 'base64');
}
