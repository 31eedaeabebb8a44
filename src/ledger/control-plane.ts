import { Injectable } from '@nestjs/common';
import { MasterKey } from '../tenancy/tenant-key.js';
import { HomeMirror } from './home-mirror.js';
import { Homes, MAIN } from './homes.js';
import { Ledger } from './ledger.js';
import { LedgerSignal } from './ledger-signal.js';

/**
 * The same transactions as the ledger's, on what is provisioned for a tenant: workspaces, agents, keys, members. That is
 * in the main database wherever the tenant's ledger is, because keys are looked up there and operators look there.
 * What is stored belongs into `Ledger`: a change, as in `tx.changed`, has no place here.
 */
@Injectable()
export class ControlPlane extends Ledger {
  // Named again: what is injected is read from the class itself.
  constructor(homes: Homes, mirror: HomeMirror, master: MasterKey, signal: LedgerSignal) {
    super(homes, mirror, master, signal);
  }

  protected override homeOf(): string {
    return MAIN;
  }

  /** Every tenant's row is there, whatever home it names. */
  protected override livesHere(): boolean {
    return true;
  }
}
