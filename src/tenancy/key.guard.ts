import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { requestFacts } from '../platform/http/request-facts.js';
import { Placements } from '../spaces/placements.js';
import { ACCESS, type Access } from './access.decorator.js';
import { hashToken } from './api-key.js';
import { OperatorToken } from './operator-token.js';
import { PrincipalCache } from './principal-cache.js';
import { actorOf, type Principal, type TenantPrincipal } from './principal.js';
import { PUBLIC } from './public.decorator.js';
import { RateLimiter } from './rate-limiter.js';
import {
  Forbidden,
  OperatorReadsNoContent,
  TenantMismatch,
  TenantSuspended,
  TokenInvalid,
  TokenRequired,
} from './tenancy-errors.js';
import { TenantContext } from './tenant-context.js';

/** Finds out who is calling, and whether this route is for them. Refuses a route that says nothing of it. */
@Injectable()
export class KeyGuard implements CanActivate {
  private readonly accessByHandler = new WeakMap<object, Access | 'public' | 'undeclared'>();

  constructor(
    private readonly reflector: Reflector,
    private readonly operator: OperatorToken,
    private readonly principals: PrincipalCache,
    private readonly limiter: RateLimiter,
    private readonly context: TenantContext,
    private readonly placements: Placements,
  ) {}

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    const access = this.accessOf(execution);
    if (access === 'public') return true;
    const request = execution.switchToHttp().getRequest<Request>();
    const principal = await this.authenticate(tokenOf(request));
    this.context.request.principal = principal;
    const response = execution.switchToHttp().getResponse<Response>();
    const facts = requestFacts(response);
    facts.actor = actorOf(principal);
    if (principal.kind !== 'operator') {
      facts.tenant = principal.tenant.slug;
      await this.limit(principal, response);
    }
    if (access === 'undeclared') throw new Forbidden('Nobody may call this route.');
    if (principal.kind === 'operator') {
      if ('operator' in access) return true;
      throw new OperatorReadsNoContent();
    }
    return this.admit(principal, access, request.headers['x-tenant-id']);
  }

  private admit(
    principal: TenantPrincipal,
    access: Access,
    claimedTenant: string | string[] | undefined,
  ): boolean {
    const { tenant } = principal;
    if (claimedTenant !== undefined) {
      const claimed = String(claimedTenant).toLowerCase();
      if (claimed !== tenant.slug && claimed !== tenant.id) throw new TenantMismatch();
    }
    if (tenant.state === 'suspended') throw new TenantSuspended();
    // Refuses where this process does not serve the tenant's placement.
    this.placements.of(tenant.placement);
    if (!('scope' in access) && !('anyKey' in access)) {
      throw new Forbidden('This route takes the admin token.');
    }
    if ('scope' in access && !principal.scopes.has(access.scope)) {
      throw new Forbidden(`This token lacks the scope \`${access.scope}\`.`);
    }
    return true;
  }

  /** Every answer to a key says how much it has left, refusals too. */
  private async limit(principal: TenantPrincipal, response: Response): Promise<void> {
    const { headers, refusal } = await this.limiter.count(principal);
    response.setHeader('RateLimit-Policy', headers.policy);
    response.setHeader('RateLimit', headers.state);
    if (refusal !== null) throw refusal;
  }

  private async authenticate(token: string): Promise<Principal> {
    const hash = hashToken(token);
    if (this.operator.matchesHash(hash)) return { kind: 'operator' };
    const principal = await this.principals.principalOf(token, hash);
    if (principal === null) throw new TokenInvalid('malformed, unknown, expired or revoked token');
    if (principal.tenant.state === 'deleted')
      throw new TokenInvalid(`key of deleted tenant ${principal.tenant.id}`);
    return principal;
  }

  private accessOf(execution: ExecutionContext): Access | 'public' | 'undeclared' {
    const handler = execution.getHandler();
    const known = this.accessByHandler.get(handler);
    if (known !== undefined) return known;
    const targets = [handler, execution.getClass()];
    const access = this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, targets)
      ? 'public'
      : (this.reflector.getAllAndOverride<Access | undefined>(ACCESS, targets) ?? 'undeclared');
    this.accessByHandler.set(handler, access);
    return access;
  }
}

function tokenOf(request: Request): string {
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
