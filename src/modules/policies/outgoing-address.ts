import { RequestInvalid } from '../../platform/http/request.errors.js';
import type { GuardedFetch } from '../../platform/outgoing/guarded-fetch.js';

/** Throws `RequestInvalid` for a URL that no request of ours will be sent to. Null: none was given. */
export function checkAddress(fetch: GuardedFetch, location: string, address: string | null): void {
  if (address === null) return;
  const url = URL.canParse(address) ? new URL(address) : null;
  const message = url === null ? 'must be a URL' : fetch.complaint(url);
  if (message !== null) throw new RequestInvalid([{ location, message }]);
}
