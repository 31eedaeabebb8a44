import { Injectable } from '@nestjs/common';
import { sharesTag } from '../../ledger/compared-tags.js';
import { Ledger } from '../../ledger/ledger.js';
import type { Tenant } from '../../tenancy/principal.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { memoryOf, MEMORY_COLUMNS, type MemoryRow } from '../memory/memory-rows.js';
import type { Memory } from '../memory/memory.js';

/** What an assistant should know before the first word. A memory is in one part only, the first that it belongs to. */
export interface Startup {
  /** Tagged `critical`, `lesson` or `ai-assistant`, or of an importance of 0.9 and more. */
  lessons: Memory[];
  /** Tagged `system` or `memory-recall`. */
  rules: Memory[];
  /** Of the types Preference, Style and Habit. */
  preferences: Memory[];
  recent: Memory[];
}

const LESSON_TAGS = ['critical', 'lesson', 'ai-assistant'];
const RULE_TAGS = ['system', 'memory-recall'];
const PREFERENCE_TYPES = ['Preference', 'Style', 'Habit'];

@Injectable()
export class StartupService {
  constructor(private readonly ledger: Ledger) {}

  /** At most `limit` memories in each part, of what holds at this moment: the most important first, then the newest. */
  async of(tenant: Tenant, workspace: WorkspaceId, limit: number): Promise<Startup> {
    return this.ledger.read(tenant, workspace, async (tx) => {
      const taken = new Set<string>();
      const pick = async (condition: string, order: string, ...values: unknown[]): Promise<Memory[]> => {
        const rows = await tx.rows<MemoryRow>(picking(condition, order), [
          tenant.id,
          workspace,
          limit,
          [...taken],
          ...values,
        ]);
        for (const { id } of rows) taken.add(id);
        return rows.map((row) => memoryOf(tenant, row));
      };
      return {
        lessons: await pick(`(${TAGGED} OR importance >= 0.9::real)`, BEST, LESSON_TAGS),
        rules: await pick(TAGGED, BEST, RULE_TAGS),
        preferences: await pick('type = ANY($5)', BEST, PREFERENCE_TYPES),
        recent: await pick('true', NEWEST),
      };
    });
  }
}

const TAGGED = sharesTag('$5::text[]');
const BEST = 'importance DESC, timestamp DESC, id';
const NEWEST = 'timestamp DESC, id DESC';

function picking(condition: string, order: string): string {
  return `SELECT ${MEMORY_COLUMNS} FROM memories
    WHERE tenant_id = $1 AND workspace_id = $2 AND NOT id = ANY($4::uuid[]) AND ${condition}
      AND (t_valid IS NULL OR t_valid <= now()) AND (t_invalid IS NULL OR t_invalid > now()) AND archived_at IS NULL
    ORDER BY ${order} LIMIT $3`;
}
