import { timingSafeEqual } from 'node:crypto';
import { hashToken } from './api-key.js';

/** The admin token, as the only thing that is kept of it. */
export class OperatorToken {
  private readonly hash: Buffer;

  constructor(token: string) {
    this.hash = hashToken(token);
  }

  /** Takes as long for a wrong token as for the right one. */
  matches(token: string): boolean {
    return this.matchesHash(hashToken(token));
  }

  /** Of a token's hash (`hashToken`), where that is needed elsewhere too. */
  matchesHash(hash: Buffer): boolean {
    return timingSafeEqual(this.hash, hash);
  }
}
