import {
  Injectable,
  SetMetadata,
  type CallHandler,
  type CustomDecorator,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { Idempotency, type Claim } from '../ledger/idempotency.js';
import { canonicalJson } from '../platform/canonical-json.js';
import { DomainError } from '../platform/errors/domain-error.js';
import { scrubJson } from '../platform/scrub/scrub.js';
import { scrubKinds } from './scrub-settings.js';
import { TenantContext } from './tenant-context.js';

const SHOWS_SECRET = 'loci:shows-secret';
const MOST_CHARACTERS = 255;

/** For a route whose answer shows a key or a token once: a replay shows everything else. */
export const ShowsSecret = (): CustomDecorator => SetMetadata(SHOWS_SECRET, true);

export class IdempotencyKeyInvalid extends DomainError<'idempotency.key_invalid'> {
  readonly code = 'idempotency.key_invalid';
  constructor() {
    super(`An Idempotency-Key is one to ${MOST_CHARACTERS} printable characters.`);
  }
}

/** Every POST takes an `Idempotency-Key`: the same request again gets the first one's answer. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly idempotency: Idempotency,
    private readonly context: TenantContext,
    private readonly reflector: Reflector,
  ) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = execution.switchToHttp();
    const request = http.getRequest<Request>();
    const key = request.headers['idempotency-key'];
    if (key === undefined || request.method !== 'POST' || this.context.request.principal === null) {
      return next.handle();
    }
    if (
      typeof key !== 'string' ||
      !/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(key) ||
      key.length > MOST_CHARACTERS
    ) {
      throw new IdempotencyKeyInvalid();
    }
    const showsSecret =
      this.reflector.get<boolean | undefined>(SHOWS_SECRET, execution.getHandler()) ?? false;
    return from(this.once(key, request, http.getResponse<Response>(), next, showsSecret));
  }

  private async once(
    key: string,
    request: Request,
    response: Response,
    next: CallHandler,
    showsSecret: boolean,
  ): Promise<unknown> {
    const { claim, kept } = await this.idempotency.claim({
      principal: this.context.principal,
      route: `${request.method} ${routeName(request.path)}`,
      key,
      content: canonicalJson([
        this.scrubbed(request.body ?? null),
        request.query,
        request.headers['x-workspace-id'] ?? null,
      ]),
    });
    if (kept !== null) {
      response.setHeader('Idempotency-Replayed', 'true');
      response.status(kept.status);
      return kept.body;
    }
    this.context.request.claim = claim;
    const body = await this.work(claim, next);
    await this.idempotency.settle(claim, {
      status: response.statusCode,
      body: showsSecret ? withoutSecrets(body) : body,
    });
    return body;
  }

  /** What a tenant lets nobody store is not kept as a hash either. */
  private scrubbed(body: unknown): unknown {
    const { principal } = this.context;
    return principal.kind === 'operator'
      ? body
      : scrubJson(body, scrubKinds(principal.tenant.settings), '', []);
  }

  private async work(claim: Claim, next: CallHandler): Promise<unknown> {
    try {
      return await lastValueFrom<unknown>(next.handle());
    } catch (error) {
      await this.idempotency.release(claim);
      throw error;
    }
  }
}

/** The memory routes are served at the root and under `/v1`: a retry by the other name is the same request. */
function routeName(path: string): string {
  return path.replace(/^\/v1(?=\/)/i, '').replace(/\/$/, '');
}

/** The same answer without any member that is called `key`, `token` or `secret`. */
function withoutSecrets(body: unknown): unknown {
  const isSecret = (name: string): boolean => ['key', 'token', 'secret'].includes(name);
  return JSON.parse(JSON.stringify(body, (name, member: unknown) => (isSecret(name) ? undefined : member)));
}
