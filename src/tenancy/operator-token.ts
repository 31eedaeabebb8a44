import { createHash, timingSafeEqual } from 'node:crypto';

/** The admin token, as the only thing that is kept of it. */
export class OperatorToken {
  private readonly hash: Buffer;

  constructor(token: string) {
    this.hash = sha256(token);
  }

  /** Takes as long for a wrong token as for the right one. */
  matches(token: string): boolean {
    return timingSafeEqual(this.hash, sha256(token));
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
