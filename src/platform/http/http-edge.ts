import { randomUUID } from 'node:crypto';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';
import type { Settings } from '../config/settings.js';
import { Log } from '../logging/log.js';
import { logReply } from '../logging/request-log.js';
import { Metrics } from '../metrics/metrics.js';
import { ServerState } from '../health/server-state.js';
import { Traffic } from '../traffic.js';
import { readBody } from './body.js';
import { ProblemFilter } from './problem.filter.js';
import { ReplyListeners } from './reply-listeners.js';
import { attachFacts } from './request-facts.js';
import type { Reply, RequestFacts } from './request-facts.js';
import { RequestMalformed, ServedElsewhere, ServerStopping, TokenInUrl } from './request.errors.js';
import { securityHeaders } from './security-headers.js';
import { UnreadGuard } from './unread.guard.js';
import { answerUnreadable } from './unreadable-requests.js';
import { ValidationPipe } from './validation.js';

/**
 * What every request passes before its route and after its reply. Call it on an application made with
 * `bodyParser: false`, before `init()` or `listen()`.
 */
export function installHttpEdge(app: NestExpressApplication, settings: Settings): void {
  const log = app.get(Log);
  const metrics = app.get(Metrics);
  const state = app.get(ServerState);
  const listeners = app.get(ReplyListeners);
  const traffic = app.get(Traffic);
  app.set(
    'trust proxy',
    typeof settings.trustProxy === 'object' ? [...settings.trustProxy] : settings.trustProxy,
  );
  app.disable('x-powered-by');
  app.disable('etag');
  const done = (reply: Reply): void => {
    metrics.observeReply(reply);
    logReply(log, reply, settings.logEvery);
    listeners.tell(reply);
  };
  answerUnreadable(app.getHttpServer(), done);
  app.use(openRequest(traffic, done));
  app.use((_request: Request, _response: Response, next: NextFunction) => {
    if (state.phase === 'stopping' && !_request.path.startsWith('/health')) {
      _response.setHeader('Connection', 'close');
      next(new ServerStopping());
    } else next();
  });
  if (settings.role === 'worker') app.use(onlyProbes);
  app.use(checkUrl);
  app.use(readBody());
  app.useGlobalGuards(new UnreadGuard());
  app.useGlobalPipes(new ValidationPipe());
  app.useGlobalFilters(new ProblemFilter(log));
}

const REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._:+/=-]{0,127}$/;

function openRequest(traffic: Traffic, done: (reply: Reply) => void) {
  const headers = securityHeaders();
  return (request: Request, response: Response, next: NextFunction): void => {
    const startedAt = performance.now();
    const given = request.headers['x-request-id'];
    const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    const facts: RequestFacts = { requestId, startedAt };
    attachFacts(response, facts);
    traffic.arrived(response);
    response.setHeader('X-Request-Id', requestId);
    for (const [name, value] of isDocs(request.url) ? headers.docs : headers.api)
      response.setHeader(name, value);
    const { method } = request;
    response.once('close', () => {
      traffic.left(response);
      const route = (request.route as { path?: unknown } | undefined)?.path;
      done({
        method,
        route: typeof route === 'string' ? route : 'unmatched',
        status: response.writableFinished ? response.statusCode : 499,
        ms: performance.now() - startedAt,
        facts,
      });
    });
    next();
  };
}

function isDocs(url: string): boolean {
  return url === '/docs' || url.startsWith('/docs/') || url.startsWith('/docs?');
}

/** A worker answers for its own state alone; tenants are served by API processes. */
function onlyProbes(request: Request, _response: Response, next: NextFunction): void {
  next(/^\/(?:health|metrics)(?:[/?]|$)/.test(request.url) ? undefined : new ServedElsewhere());
}

const TOKEN_IN_QUERY = /[?&](?:token|access_token|api_?key|api_token|admin_token|x-api-key|authorization)=/i;

/** Refuses tokens and NUL in the URL, and gives `/api/v1/…` its other name `/v1/…`. */
function checkUrl(request: Request, _response: Response, next: NextFunction): void {
  const { url } = request;
  if (url.includes('?') && TOKEN_IN_QUERY.test(url)) {
    next(new TokenInUrl());
    return;
  }
  if (url.includes('%00')) {
    next(new RequestMalformed('The URL contains NUL.'));
    return;
  }
  if (/^\/api\/v1(?=[/?]|$)/.test(url)) request.url = url.slice('/api'.length);
  next();
}
