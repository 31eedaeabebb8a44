import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import type { Cause } from '../ledger/cause.js';
import type { Claim, KeptAnswer } from '../ledger/idempotency.js';
import { OperatorReadsNoContent } from './tenancy-errors.js';
import { actorOf, type Principal, type Tenant, type TenantPrincipal } from './principal.js';

/** What is known of the request that is being answered. */
export interface RequestState {
  readonly requestId: string;
  principal: Principal | null;
  /** Where the request carries an `Idempotency-Key`. */
  claim: Claim | null;
}

/**
 * This request's tenant. Carried by AsyncLocalStorage, so that it lives exactly as long as the request while
 * services stay singletons. Read at the edge only: services receive the `Tenant` as their first argument.
 * Outside a request it throws.
 */
@Injectable()
export class TenantContext {
  private readonly storage = new AsyncLocalStorage<RequestState>();

  run<T>(state: RequestState, work: () => T): T {
    return this.storage.run(state, work);
  }

  get request(): RequestState {
    const state = this.storage.getStore();
    if (state === undefined) throw new Error('There is no request here, so there is no tenant to speak of');
    return state;
  }

  get principal(): Principal {
    const { principal } = this.request;
    if (principal === null) throw new Error('This route is public: nobody in particular is calling');
    return principal;
  }

  /** Who of a tenant is calling: a key, or a member. */
  get caller(): TenantPrincipal {
    const principal = this.principal;
    if (principal.kind === 'operator') throw new OperatorReadsNoContent();
    return principal;
  }

  /**
   * Why this request writes. `answer` is what the caller is told of the result: where the request carries an
   * `Idempotency-Key`, that is kept in the write's own transaction.
   */
  cause<Result>(answer: (result: Result) => KeptAnswer): Cause {
    const { requestId, claim } = this.request;
    return {
      actor: actorOf(this.principal),
      requestId,
      claim:
        claim === null
          ? null
          : {
              route: claim.route,
              keyHash: claim.keyHash,
              answer: (result) => {
                const { status, body } = answer(result as Result);
                return { status, body: claim.seal(body) };
              },
            },
    };
  }

  get tenant(): Tenant {
    return this.caller.tenant;
  }
}
