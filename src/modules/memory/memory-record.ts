import type { Tenant } from '../../tenancy/principal.js';
import { canonicalJson } from '../../platform/canonical-json.js';
import type { Memory } from './memory.js';

/**
 * A memory as the audit tells it. The record outlives the memory, so what was said, and of whom, is there as a keyed hash
 * alone: it shows whether it changed, and deleting a memory leaves nothing of it behind.
 */
export function recordedMemory(tenant: Tenant, memory: Memory): Record<string, unknown> {
  const hashed = (text: string) => tenant.key.hash('audit', text).toString('base64url').slice(0, 22);
  const { type, tags, importance, confidence, timestamp, validFrom, validUntil, session, agent } = memory;
  return {
    content: hashed(memory.content),
    metadata: hashed(canonicalJson(memory.metadata)),
    source: memory.source === null ? null : hashed(memory.source),
    user_id: memory.user === null ? null : hashed(memory.user),
    type,
    tags,
    importance,
    confidence,
    timestamp,
    t_valid: validFrom,
    t_invalid: validUntil,
    session_id: session,
    agent_id: agent,
  };
}
