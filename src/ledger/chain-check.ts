import {
  auditHash,
  CHAIN_START,
  checkpointSignature,
  endSignature,
  type AuditRow,
  type ChainEnd,
  type ChainSigner,
} from './audit-chain.js';
import type { TenantId } from '../tenancy/tenant.js';

/** A record as it lies in the table; position and hash are null where the ledger did not write it. */
export type FoundRow = Omit<AuditRow, 'position'> & {
  /** In the order in which they were written. */
  id: string;
  position: number | null;
  hash: Buffer | null;
};

/** A chain's end or a checkpoint, as it was signed. */
export type SignedEnd = ChainEnd & { signature: Buffer | null };

export interface ChainProblem {
  /**
   * `altered`: it is not what was written. `missing`: deleted. `out_of_order`: moved, or there twice.
   * `foreign`: not written by the ledger. `forged`: a signature of a checkpoint or of the chain's end does not hold.
   */
  problem: 'altered' | 'missing' | 'out_of_order' | 'foreign' | 'forged';
  /** The record's place in the chain; of several that are missing, the first. Null: it has none. */
  position: number | null;
  /** How many records are concerned. */
  records: number;
}

/**
 * Walks one chain from its start, or from the checkpoint that stands for what retention removed, to its signed end.
 * An altered record is found by its hash, and everything after it is still checked against what it says.
 */
export class ChainCheck {
  readonly problems: ChainProblem[] = [];
  /** Records whose hash holds. */
  intact = 0;
  /** Written before there was a chain. */
  unchained = 0;
  private last: ChainEnd;
  private begun = false;

  constructor(
    private readonly tenant: TenantId | null,
    private readonly checkpoint: SignedEnd | null,
    private readonly signer: ChainSigner,
  ) {
    this.last = checkpoint ?? CHAIN_START;
    if (checkpoint !== null) {
      const wanted = checkpointSignature(signer, tenant, 'retention', checkpoint);
      if (!wanted.equals(checkpoint.signature ?? Buffer.alloc(0))) this.found('forged', checkpoint.position);
    }
  }

  /** Records come in the order of their ids. */
  next(row: FoundRow): void {
    const { position, hash } = row;
    if (position === null || hash === null) {
      if (this.begun || this.checkpoint !== null) this.found('foreign', position);
      else this.unchained++;
      return;
    }
    this.begun = true;
    if (position <= this.last.position) {
      this.found('out_of_order', position);
      return;
    }
    const missing = position - this.last.position - 1;
    if (missing > 0) this.found('missing', this.last.position + 1, missing);
    // What it followed is gone with what is missing, so its own hash cannot be told to hold.
    else if (auditHash(this.last.hash, this.tenant, { ...row, position }).equals(hash)) this.intact++;
    else this.found('altered', position);
    this.last = { position, hash };
  }

  /**
   * `end`: where the chain is said to end, and who signed it: the tenant's row, or the checkpoint of its purge.
   * Null: neither is there, as where all records are from before there was a chain. `begins`: there must be records.
   */
  finish(end: SignedEnd | null, signedAs: 'chain' | 'purge', begins = false): void {
    if (end === null) {
      if (this.last.position > 0) this.found('forged', this.last.position);
      else if (begins && this.unchained === 0) this.found('missing', 1);
      return;
    }
    const wanted =
      signedAs === 'chain'
        ? endSignature(this.signer, this.tenant, end)
        : checkpointSignature(this.signer, this.tenant, 'purge', end);
    if (!wanted.equals(end.signature ?? Buffer.alloc(0))) this.found('forged', end.position);
    const missing = end.position - this.last.position;
    if (missing > 0) this.found('missing', this.last.position + 1, missing);
    else if (missing < 0) this.found('foreign', end.position + 1, -missing);
    else if (!end.hash.equals(this.last.hash)) this.found('altered', end.position);
  }

  private found(problem: ChainProblem['problem'], position: number | null, records = 1): void {
    this.problems.push({ problem, position, records });
  }
}
