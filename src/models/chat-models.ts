import type { Tenant } from '../tenancy/principal.js';
import type { ChatModel } from './chat-model.js';

/** Which language model works for whom. */
export abstract class ChatModels {
  /** Null: none is configured for this tenant, and whoever asks does without. */
  abstract for(tenant: Tenant): Promise<ChatModel | null>;
}
