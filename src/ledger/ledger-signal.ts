import { Injectable } from '@nestjs/common';
import type { Tenant } from '../tenancy/principal.js';

/** A write of this process that has taken revisions. */
export interface CommittedWrite {
  tenant: Tenant;
  /** The tenant's, afterwards. */
  revision: number;
  /** As the audit names who wrote. */
  actor: string;
}

/**
 * Tells, within this process, that a ledger has changed, so that who follows it need not wait for its next look. Other
 * processes' writes are found by looking: a signal may be missed, and nothing may depend on it.
 */
@Injectable()
export class LedgerSignal {
  private readonly listeners = new Set<(write: CommittedWrite) => void>();

  /** What a listener does is in the way of the write's answer: it notes, and works later. */
  onWrite(listener: (write: CommittedWrite) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  wrote(write: CommittedWrite): void {
    for (const listener of this.listeners) listener(write);
  }
}
