import { applyDecorators, Post, UseInterceptors } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';

/**
 * A POST route; every one takes an `Idempotency-Key`. Said at each of them and not once for all routes, because an
 * interceptor that merely lets a GET pass costs it as much as its guard does.
 */
export function IdempotentPost(path = ''): MethodDecorator {
  return applyDecorators(
    Post(path),
    UseInterceptors(IdempotencyInterceptor),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: 'The same key and body within 24 hours get the first answer again',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    }),
  );
}
