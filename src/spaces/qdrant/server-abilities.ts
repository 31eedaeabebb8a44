import type { QdrantCaller } from './qdrant-connection.js';
import { SpaceUnavailable } from '../space-errors.js';

/** What differs between the servers that are served, 1.16 and newer. */
export interface Abilities {
  /** 1.19: keywords are matched by their beginning. Before, every beginning of a tag is stored beside it. */
  prefixes: boolean;
  /** 1.19: how rare a word is counts over one workspace. Before, over the tenant's whole collection. */
  rarityByWorkspace: boolean;
}

/** 1.16 brought `update_filter`, which is what keeps an older revision from overwriting a newer one. */
const OLDEST = [1, 16] as const;

/** Asked once: a server that is replaced by a newer one still understands all that the older one did. */
export class ServerAbilities {
  private asked: Promise<Abilities> | null = null;

  constructor(private readonly operator: QdrantCaller) {}

  /** Rejects with `SpaceUnavailable` where the server is older than 1.16. */
  get(): Promise<Abilities> {
    this.asked ??= this.ask().catch((error: unknown) => {
      this.asked = null;
      throw error;
    });
    return this.asked;
  }

  private async ask(): Promise<Abilities> {
    const version = await this.operator.call('tell its version', 'read', async (api, init) => {
      const { data } = await api.root({}, init);
      return { data: { result: data.version } };
    });
    const [major = 0, minor = 0] = version.split('.').map(Number);
    const since = (wanted: readonly [number, number]): boolean =>
      major > wanted[0] || (major === wanted[0] && minor >= wanted[1]);
    if (!since(OLDEST)) throw new SpaceUnavailable(`Qdrant ${version} is too old: 1.16 or newer is needed`);
    return { prefixes: since([1, 19]), rarityByWorkspace: since([1, 19]) };
  }
}
