import { Catch } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { errorCodes } from '../errors/error-codes.js';
import { Log } from '../logging/log.js';
import { allowedMethods } from './allowed-methods.js';
import { problemOf, refusalOf } from './problem.js';
import type { Problem, Refusal } from './problem.js';
import { requestFacts } from './request-facts.js';
import { ServedElsewhere } from './request.errors.js';

/** Answers every error, from wherever it comes, with `application/problem+json`. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Log) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const facts = requestFacts(response);
    const refusal =
      error instanceof ServedElsewhere ? refusalOf(error) : this.refine(refusalOf(error), request, response);
    facts.problem = { code: refusal.code };
    if (refusal.internal !== undefined) facts.problem.internal = refusal.internal;
    if (refusal.unexpected) this.log.error({ err: error, request_id: facts.requestId }, 'a fault of ours');
    if (response.headersSent) {
      // Half an answer is out already; only a broken connection can still say that it failed.
      response.destroy();
      return;
    }
    this.reply(response, refusal, problemOf(refusal, facts.requestId));
  }

  /** Nest knows no 405: a path without a route may have one under another method. */
  private refine(refusal: Refusal, request: Request, response: Response): Refusal {
    if (refusal.code !== 'route.not_found' || request.route !== undefined) return refusal;
    const methods = allowedMethods(request);
    if (methods.length === 0) return refusal;
    response.setHeader('Allow', methods.join(', '));
    return { code: 'request.method_not_allowed', detail: `This path takes ${methods.join(', ')}.` };
  }

  /** The seam for another door's own error shape: it would choose its body and content type here. */
  private reply(response: Response, refusal: Refusal, problem: Problem): void {
    const { status } = errorCodes[refusal.code];
    if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    if (refusal.retryAfter !== undefined) {
      response.setHeader('Retry-After', Math.max(1, Math.ceil(refusal.retryAfter)));
    } else if (status === 503 || status === 429) {
      response.setHeader('Retry-After', 2);
    }
    response.setHeader('Cache-Control', 'no-store');
    response.status(status).type('application/problem+json').send(JSON.stringify(problem));
  }
}
