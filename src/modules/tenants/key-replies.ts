import { writeCursor } from '../../platform/http/cursor.js';
import type { KeyPlace, KeyRow } from './key-rows.js';
import type { KeyDto, KeyListDto, RotatedKeyDto } from './keys.dto.js';
import type { RotatedKey } from './tenant-keys.service.js';

/** A key without what opens anything. */
export function keyDto(key: KeyRow): KeyDto {
  const now = Date.now();
  const over = (time: Date | null) => time !== null && time.getTime() <= now;
  return {
    id: key.id,
    name: key.name,
    key_prefix: key.prefix,
    workspace_id: key.workspaceId,
    scopes: key.scopes,
    role: key.role,
    environment: key.environment,
    rate_limit_per_minute: key.rateLimitPerMinute,
    is_active: !over(key.revokedAt) && !over(key.expiresAt),
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
    created_at: key.createdAt.toISOString(),
    expires_at: key.expiresAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
    rotated_to: key.rotatedTo,
  };
}

/** Without the key itself: what may be answered again. */
export function rotatedDto({ row, replaced }: RotatedKey): RotatedKeyDto {
  return { ...keyDto(row), replaces: { id: replaced.id, valid_until: replaced.until.toISOString() } };
}

export function keyListDto({ keys, next }: { keys: KeyRow[]; next: KeyPlace | null }): KeyListDto {
  return { data: keys.map(keyDto), next_cursor: next === null ? null : writeCursor(next) };
}
