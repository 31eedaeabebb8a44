import type { WorkspaceId } from '../../tenancy/tenant.js';

/** What a caller wants remembered, checked and completed. */
export interface MemoryDraft {
  /** Null: made here. */
  id: string | null;
  content: string;
  type: string;
  /** False: nobody gave it; it was told by how the content speaks. */
  typeGiven: boolean;
  tags: string[];
  /** 0..1, how much it matters. */
  importance: number;
  /** 0..1, how sure the teller is. */
  confidence: number;
  metadata: Record<string, unknown>;
  timestamp: Date;
  /** From when and until when it holds, where that is known. */
  validFrom: Date | null;
  validUntil: Date | null;
  session: string | null;
  user: string | null;
  agent: string | null;
  /** Where it came from, as the caller names it: a channel, a file, an address. */
  source: string | null;
  /** Brought by the caller, of the current model's length. */
  embedding: Float32Array | null;
  /** Of the request as it came, for telling a repetition from another memory under the same id; empty where it named none. */
  fingerprint: Buffer;
}

export interface Memory {
  workspace: WorkspaceId;
  id: string;
  content: string;
  type: string;
  tags: string[];
  importance: number;
  confidence: number;
  metadata: Record<string, unknown>;
  timestamp: Date;
  validFrom: Date | null;
  validUntil: Date | null;
  session: string | null;
  user: string | null;
  agent: string | null;
  source: string | null;
  createdAt: Date;
  updatedAt: Date;
  /** When it was forgotten: it is there, and no longer among what holds now. */
  archivedAt: Date | null;
}

/** Only what is present changes. */
export type MemoryEdit = Partial<
  Pick<
    MemoryDraft,
    | 'content'
    | 'type'
    | 'tags'
    | 'importance'
    | 'confidence'
    | 'metadata'
    | 'timestamp'
    | 'validFrom'
    | 'validUntil'
    | 'session'
    | 'user'
    | 'agent'
    | 'source'
  >
> & { embedding?: Float32Array };

/** What became of one draft. `existed`: an exact duplicate or a repetition; id and type are those of the one there is. */
export interface StoreOutcome {
  outcome: 'stored' | 'existed' | 'conflict';
  id: string;
  type: string;
}

export interface Stored {
  outcomes: StoreOutcome[];
  /** The projections show what was stored, vectors included. */
  indexed: boolean;
}
