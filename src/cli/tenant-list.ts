import type { LociApi } from './loci-api.js';
import type { ListedTenantReply, ListReply } from './replies.js';

export interface TenantListing {
  state?: string;
  stats?: boolean;
}

/** All pages as one, newest first. Rejects with `CommandFailed`. */
export async function allTenants(
  api: LociApi,
  { state, stats }: TenantListing = {},
): Promise<ListReply<ListedTenantReply>> {
  const data: ListedTenantReply[] = [];
  let cursor: string | undefined;
  do {
    const { body } = await api.get<ListReply<ListedTenantReply>>('/admin/tenants', {
      limit: 1_000,
      cursor,
      state,
      include_stats: stats,
    });
    data.push(...body.data);
    cursor = body.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return { data, next_cursor: null };
}
