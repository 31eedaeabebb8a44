import { applyDecorators, Post, UseInterceptors } from '@nestjs/common';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';

/**
 * A POST route; every one takes an `Idempotency-Key`. Said at each of them and not once for all routes, because an
 * interceptor that merely lets a GET pass costs it as much as its guard does.
 */
export function IdempotentPost(path = ''): MethodDecorator {
  return applyDecorators(Post(path), UseInterceptors(IdempotencyInterceptor));
}
