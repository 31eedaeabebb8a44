import { createHash, timingSafeEqual } from 'node:crypto';

/** Who may read `/metrics`: whoever has the admin token, or `METRICS_TOKEN` where that is set. */
export class MetricsAccess {
  private readonly digests: readonly Buffer[];

  constructor(tokens: readonly (string | null)[]) {
    this.digests = tokens.flatMap((token) => (token === null ? [] : [digest(token)]));
  }

  /** Takes as long for a wrong token as for a good one. */
  allows(token: string): boolean {
    const given = digest(token);
    let allowed = false;
    for (const expected of this.digests) {
      if (timingSafeEqual(given, expected)) allowed = true;
    }
    return allowed;
  }
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
