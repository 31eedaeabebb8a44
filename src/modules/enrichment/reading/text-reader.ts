import type { Tenant } from '../../../tenancy/principal.js';
import type { FoundEntity } from '../entity-kinds.js';

export interface TextToRead {
  text: string;
  /** When it was said, milliseconds since 1970. */
  said: number;
}

/** What a text tells: whom and what it names, and, where it is long, what it comes to. */
export interface Reading {
  entities: FoundEntity[];
  summary: string | null;
}

/** Reads texts for what they name, and asks nobody. */
export abstract class TextReader {
  /** One reading for each text, in order. */
  abstract read(tenant: Tenant, texts: readonly TextToRead[]): Promise<Reading[]>;
}
