import { Injectable, type NestMiddleware } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { requestFacts } from '../platform/http/request-facts.js';
import { TenantContext } from './tenant-context.js';

/** Opens the context that lives exactly as long as the request. */
@Injectable()
export class RequestScope implements NestMiddleware {
  constructor(private readonly context: TenantContext) {}

  use(_request: Request, response: Response, next: NextFunction): void {
    const { requestId } = requestFacts(response);
    this.context.run({ requestId, principal: null, claim: null }, next);
  }
}
