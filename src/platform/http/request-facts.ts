import type { Response } from 'express';

/** What is known about a request, gathered on its way for the one log line after the reply. */
export interface RequestFacts {
  readonly requestId: string;
  /** Of `performance.now()`. */
  readonly startedAt: number;
  /** The slug, once a key has been resolved. */
  tenant?: string;
  workspace?: string;
  /** Who calls: `operator`, `key:<id>`, `member:<id>`. */
  actor?: string;
  /** Why the body could not be read. */
  unread?: Error;
  /** Set by the problem filter: what was refused, and the words that are for the log alone. */
  problem?: { code: string; internal?: string };
}

/** One finished request, for the log and the metrics. */
export interface Reply {
  method: string;
  /** As it was declared, `/v1/workspaces/:ws`; `unmatched` where there is none. */
  route: string;
  /** 499 where the caller left before the answer was out. */
  status: number;
  ms: number;
  facts: RequestFacts;
}

/** The facts of the request that this response answers. Throws where the edge was not installed. */
export function requestFacts(response: Response): RequestFacts {
  const facts: unknown = response.locals['loci'];
  if (facts === undefined) throw new Error('The HTTP edge is not installed: see installHttpEdge');
  return facts as RequestFacts;
}

export function attachFacts(response: Response, facts: RequestFacts): void {
  response.locals['loci'] = facts;
}
