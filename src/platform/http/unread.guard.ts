import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Response } from 'express';
import { requestFacts } from './request-facts.js';

/**
 * Refuses a request whose body could not be read, behind the guards that ask who calls: so it counts against their rate
 * limit and is told what that leaves, and a stranger is told no more than that a token is needed.
 */
export class UnreadGuard implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const { unread } = requestFacts(execution.switchToHttp().getResponse<Response>());
    if (unread !== undefined) throw unread;
    return true;
  }
}
