import { Injectable, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ACCESS, type Access } from './access.decorator.js';
import { PUBLIC } from './public.decorator.js';

/** What each route says of who may call it; looked up once, as it never changes. */
@Injectable()
export class RouteAccess {
  private readonly byHandler = new WeakMap<object, Access | 'public' | 'undeclared'>();

  constructor(private readonly reflector: Reflector) {}

  of(execution: ExecutionContext): Access | 'public' | 'undeclared' {
    const handler = execution.getHandler();
    const known = this.byHandler.get(handler);
    if (known !== undefined) return known;
    const targets = [handler, execution.getClass()];
    const access = this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, targets)
      ? 'public'
      : (this.reflector.getAllAndOverride<Access | undefined>(ACCESS, targets) ?? 'undeclared');
    this.byHandler.set(handler, access);
    return access;
  }
}
