import { Injectable, type NestMiddleware } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { requestFacts } from '../platform/http/request-facts.js';
import { RequestMeter } from './request-meter.js';
import { TenantContext, type RequestState } from './tenant-context.js';
import type { WorkspaceId } from './tenant.js';

/** Opens the context that lives exactly as long as the request, and counts the request once it is answered. */
@Injectable()
export class RequestScope implements NestMiddleware {
  constructor(
    private readonly context: TenantContext,
    private readonly meter: RequestMeter,
  ) {}

  use(_request: Request, response: Response, next: NextFunction): void {
    const facts = requestFacts(response);
    const state: RequestState = { requestId: facts.requestId, principal: null, claim: null };
    response.once('close', () => {
      const { principal } = state;
      if (principal === null || principal.kind === 'operator') return;
      const own = principal.workspace ?? principal.tenant.defaultWorkspace;
      this.meter.count(principal.tenant.id, (facts.workspace as WorkspaceId | undefined) ?? own);
    });
    this.context.run(state, next);
  }
}
