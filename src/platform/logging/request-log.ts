import type { Reply } from '../http/request-facts.js';
import type { Log } from './log.js';

let successes = 0;

/**
 * One line after the reply. Faults of ours are errors, refusals for load or absence are warnings, everything
 * else is information; of successes only one in `every` is written.
 */
export function logReply(log: Log, { method, route, status, ms, facts }: Reply, every: number): void {
  if (status < 400 && every > 1 && ++successes % every !== 0) return;
  const { requestId, tenant, workspace, actor, problem } = facts;
  const fields = {
    method,
    route,
    status,
    ms: Math.round(ms * 100) / 100,
    request_id: requestId,
    tenant,
    workspace,
    actor,
    code: problem?.code,
    internal: problem?.internal,
  };
  log.request(status === 500 ? 'error' : status > 500 || status === 429 ? 'warn' : 'info', fields);
}
