import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request, Response } from 'express';
import { requestFacts } from '../platform/http/request-facts.js';
import { hashToken } from './api-key.js';
import { FailedLogins } from './failed-logins.js';
import { KeyUse } from './key-use.js';
import { OperatorToken } from './operator-token.js';
import { PrincipalCache } from './principal-cache.js';
import { actorOf, type Principal } from './principal.js';
import { RouteAccess } from './route-access.js';
import { TokenInvalid, TokenRequired } from './tenancy-errors.js';
import { TenantContext } from './tenant-context.js';

/** The first guard: finds out who is calling. `RateLimitGuard` counts, `AccessGuard` asks whether they may. */
@Injectable()
export class KeyGuard implements CanActivate {
  constructor(
    private readonly routes: RouteAccess,
    private readonly operator: OperatorToken,
    private readonly principals: PrincipalCache,
    private readonly failures: FailedLogins,
    private readonly use: KeyUse,
    private readonly context: TenantContext,
  ) {}

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    if (this.routes.of(execution) === 'public') return true;
    const http = execution.switchToHttp();
    const principal = await this.authenticate(http.getRequest<Request>());
    this.context.request.principal = principal;
    const facts = requestFacts(http.getResponse<Response>());
    facts.actor = actorOf(principal);
    if (principal.kind !== 'operator') facts.tenant = principal.tenant.slug;
    if (principal.kind === 'key') this.use.note(principal);
    return true;
  }

  private async authenticate(request: Request): Promise<Principal> {
    const token = tokenOf(request);
    const hash = hashToken(token);
    if (this.operator.matchesHash(hash)) return { kind: 'operator' };
    const principal = await this.principals.principalOf(token, hash);
    if (principal !== null && principal.tenant.state !== 'deleted') return principal;
    // Whatever was wrong with it, what follows is the same: nothing tells one from another.
    await this.failures.count(request.ip ?? '', hash);
    throw new TokenInvalid('malformed, unknown, expired or revoked token, or that of a deleted tenant');
  }
}

/** Throws `TokenRequired`; `TokenInvalid` where there are two. */
export function tokenOf(request: Request): string {
  const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  const header = request.headers['x-api-key'];
  const apiKey = typeof header === 'string' && header !== '' ? header : undefined;
  if (bearer !== undefined && apiKey !== undefined && bearer !== apiKey) {
    throw new TokenInvalid('two different tokens in one request');
  }
  const token = bearer ?? apiKey;
  if (token === undefined) throw new TokenRequired();
  return token;
}
