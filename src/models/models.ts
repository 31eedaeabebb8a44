import { Injectable } from '@nestjs/common';
import type { Embedder } from './embedder.js';
import { modelId } from './model-id.js';

/** The embedding models that this server can ask: the one that is set, and those that tenants still answer with. */
@Injectable()
export class Models {
  private readonly byId: ReadonlyMap<string, Embedder>;
  /** What new vectors are made with. */
  readonly current: Embedder;

  constructor(current: Embedder, others: Embedder[] = []) {
    this.current = current;
    this.byId = new Map([current, ...others].map((embedder) => [modelId(embedder.model), embedder]));
  }

  /** Null: this model can no longer be asked. Its vectors stay, its queries are answered by text. */
  withId(id: string): Embedder | null {
    return this.byId.get(id) ?? null;
  }

  get currentId(): string {
    return modelId(this.current.model);
  }
}
