/**
 * Why something is written: who asked, in which request. It goes into the audit record,
 * and carries the idempotency claim that is settled in the same transaction.
 */
export interface Cause {
  actor: string;
  requestId: string | null;
  claim: IdempotencyClaim | null;
}

/** An `Idempotency-Key` whose first request is running: its answer is kept in the write's own transaction. */
export interface IdempotencyClaim {
  route: string;
  keyHash: Buffer;
  /** The status and sealed body to replay, given what the work resulted in. */
  answer(result: unknown): { status: number; body: Buffer };
}

/** The server's own work, such as the vector backfill. */
export function systemCause(job: string): Cause {
  return { actor: `system:${job}`, requestId: null, claim: null };
}
