import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Follower, LedgerChange, Settle } from '../../../background/follower.js';
import { Followers } from '../../../background/followers.service.js';
import { Ledger } from '../../../ledger/ledger.js';
import { meterTokens } from '../../../ledger/token-meter.js';
import type { ChatModel, ChatTokens } from '../../../models/chat-model.js';
import { ChatModels } from '../../../models/chat-models.js';
import { Settings } from '../../../platform/config/settings.js';
import type { Tenant } from '../../../tenancy/principal.js';
import type { WorkspaceId } from '../../../tenancy/tenant.js';
import { stillSo, unreadOf, writeReadings, type ReadMemory, type UnreadMemory } from '../enrichment-rows.js';
import { isReadByModels } from '../enrichment-settings.js';
import { TextReader, type Reading } from '../reading/text-reader.js';
import { LanguageReader } from './language-reader.js';
import type { ModelReading } from './reading-answer.js';
import { correctTypes } from './type-corrections.js';

export const LANGUAGE_ENRICHMENT = 'language_model';

/** What was read of one workspace. */
interface ReadWorkspace {
  workspace: WorkspaceId;
  memories: { memory: UnreadMemory; offline: Reading; told: ModelReading | null }[];
  tokens: ChatTokens;
}

/**
 * Has the tenant's language model read what was stored, after the reader that comes with Loci has: it follows the ledger on
 * its own, so a model that is slow or away keeps nothing waiting but itself. What it finds takes the other's place, and
 * where it finds nothing of use that stays.
 */
@Injectable()
export class LanguageEnrichment implements Follower, OnModuleInit {
  readonly name = LANGUAGE_ENRICHMENT;
  readonly kinds = ['memory'] as const;
  readonly batch = 16;
  readonly lingerMs = 500;
  readonly patient = true;

  constructor(
    private readonly ledger: Ledger,
    private readonly models: ChatModels,
    private readonly reader: LanguageReader,
    private readonly offline: TextReader,
    private readonly followers: Followers,
    private readonly settings: Settings,
  ) {}

  onModuleInit(): void {
    this.followers.add(this);
  }

  /** Where there is a model, and neither the installation nor the tenant has turned it off. */
  async follows(tenant: Tenant): Promise<boolean> {
    if (!this.settings.enrichment || !isReadByModels(tenant.settings)) return false;
    return (await this.models.for(tenant)) !== null;
  }

  async handle(tenant: Tenant, changes: readonly LedgerChange[]): Promise<Settle | null> {
    const memories = changes.filter(({ gone }) => !gone);
    const unread = await unreadOf(this.ledger, tenant, memories, 'model');
    const model = unread.length === 0 ? null : await this.models.for(tenant);
    if (model === null) return null;
    const read: ReadWorkspace[] = [];
    for (const workspace of new Set(unread.map((memory) => memory.workspace))) {
      const own = unread.filter((memory) => memory.workspace === workspace);
      read.push(await this.read(tenant, model, workspace, own));
    }
    return async (tx) => {
      for (const { workspace, memories: found, tokens } of read) {
        const readings = found.map(({ memory, offline, told }): ReadMemory => ({
          ...memory,
          neighbours: null,
          reading: told === null ? offline : combined(offline, told),
        }));
        const current = await stillSo(tx, workspace, readings);
        if (current.length > 0) await writeReadings(tx, workspace, current, 'model');
        const there = new Set(current.map(({ id }) => id));
        const types = found.flatMap(({ memory: { id }, told }) =>
          there.has(id) && told !== null && told.type !== null ? [[id, told.type] as const] : [],
        );
        await correctTypes(tx, workspace, new Map(types));
        meterTokens(tx, workspace, tokens);
      }
    };
  }

  private async read(
    tenant: Tenant,
    model: ChatModel,
    workspace: WorkspaceId,
    memories: UnreadMemory[],
  ): Promise<ReadWorkspace> {
    const { readings, tokens } = await this.reader.read(model, memories);
    const offline = await this.offline.read(tenant, memories);
    return {
      workspace,
      // What was not asked was not read: it comes again with its next change.
      memories: memories.flatMap((memory, at) => {
        const [alone, told = null] = [offline[at], readings[at]];
        if (alone === undefined) throw new Error('A text was read without a reading');
        return told === 'unasked' ? [] : [{ memory, offline: alone, told }];
      }),
      tokens,
    };
  }
}

/** Dates are read without a model: by their form, and by when it was said. */
function combined(offline: Reading, told: ModelReading): Reading {
  const dates = offline.entities.filter(({ kind }) => kind === 'dates');
  return { entities: [...told.entities, ...dates], summary: told.summary ?? offline.summary };
}
