import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { ChatModel, type ChatAnswer, type ChatQuestion } from '../../models/chat-model.js';
import { ChatModels } from '../../models/chat-models.js';
import { FallbackChatModel } from '../../models/fallback-chat-model.js';
import { ChatEndpoint } from '../../models/openai/chat-endpoint.js';
import { OpenAiChatModel } from '../../models/openai/openai-chat-model.js';
import { OPENAI_URL } from '../../models/openai/openai-client.js';
import { Settings } from '../../platform/config/settings.js';
import { GuardedFetch } from '../../platform/outgoing/guarded-fetch.js';
import type { Tenant } from '../../tenancy/principal.js';
import { chatCandidates, type ChatCandidate } from './chat-candidates.js';
import { LlmProfilesService } from './llm-profiles.service.js';

/** Questions that the operator's endpoint is asked at once by this process. */
const OPERATORS_AT_ONCE = 4;
const MOST_ENDPOINTS = 1_000;
const LONGEST_REPLY = 2_000_000;

/**
 * The models of the tenant's profile, else the operator's. The operator's key goes to the operator's URL, which is asked as
 * it was set; a tenant's key goes to the URL that it was given for, which is asked as any address that a tenant names.
 */
@Injectable()
export class TenantChatModels extends ChatModels implements OnModuleDestroy {
  private readonly closing = new AbortController();
  /** The one that was asked last is the last of them. */
  private readonly endpoints = new Map<string, ChatEndpoint>();

  constructor(
    private readonly settings: Settings,
    private readonly profiles: LlmProfilesService,
    private readonly guarded: GuardedFetch,
  ) {
    super();
  }

  override async for(tenant: Tenant): Promise<ChatModel | null> {
    const profile = await this.profiles.profile(tenant);
    const models = chatCandidates(profile, this.settings.models.chats).map((candidate) =>
      candidate.whose === 'operator' ? this.operators(candidate.model) : this.tenants(tenant, candidate),
    );
    return models.length === 0 ? null : new FallbackChatModel(models);
  }

  onModuleDestroy(): void {
    this.closing.abort();
  }

  private operators(model: string): ChatModel {
    const { baseUrl, apiKey } = this.settings.models;
    return new OpenAiChatModel({
      baseUrl: baseUrl ?? OPENAI_URL,
      apiKey: apiKey ?? '',
      model,
      closing: this.closing.signal,
      endpoint: this.endpoint(`operator\n${model}`, OPERATORS_AT_ONCE),
    });
  }

  private tenants(tenant: Tenant, { model, baseUrl, key }: ChatCandidate & { whose: 'tenant' }): ChatModel {
    const endpoint = this.endpoint(`${tenant.id}\n${baseUrl}\n${model}`);
    return new OpenedAtOnce(async () => {
      // Opened for this one question, and kept nowhere.
      const apiKey = (await this.profiles.key(tenant, key, baseUrl)) ?? '';
      const fetch = this.fetch;
      return new OpenAiChatModel({
        ...{ baseUrl, apiKey, model, endpoint, fetch },
        closing: this.closing.signal,
      });
    });
  }

  private endpoint(name: string, atOnce?: number): ChatEndpoint {
    const endpoint = this.endpoints.get(name) ?? new ChatEndpoint(atOnce);
    this.endpoints.delete(name);
    this.endpoints.set(name, endpoint);
    const [oldest] = this.endpoints.keys();
    if (this.endpoints.size > MOST_ENDPOINTS && oldest !== undefined) this.endpoints.delete(oldest);
    return endpoint;
  }

  private readonly fetch = (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const { method, headers, body, signal } = init;
    if (typeof input !== 'string' || method?.toUpperCase() !== 'POST' || typeof body !== 'string')
      throw new Error('The client asks otherwise than it did');
    return this.guarded.send(input, {
      method: 'POST',
      headers: Object.fromEntries(new Headers(headers).entries()),
      body,
      signal: signal ?? null,
      bytes: LONGEST_REPLY,
    });
  };
}

/** A model whose key is opened when it is asked. */
class OpenedAtOnce extends ChatModel {
  constructor(private readonly open: () => Promise<ChatModel>) {
    super();
  }

  override async ask(question: ChatQuestion): Promise<ChatAnswer> {
    return (await this.open()).ask(question);
  }
}
