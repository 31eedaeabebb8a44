import type { LociApi } from './loci-api.js';
import type { ListReply } from './replies.js';

/** All pages of a list as one. Rejects with `CommandFailed`. */
export async function allPages<Item>(api: LociApi, path: string): Promise<ListReply<Item>> {
  const data: Item[] = [];
  let cursor: string | undefined;
  do {
    const { body } = await api.get<ListReply<Item>>(path, { limit: 200, cursor });
    data.push(...body.data);
    cursor = body.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return { data, next_cursor: null };
}
