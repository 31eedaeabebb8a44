import { RequestMethod } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { ACCESS, type Access } from '../../src/tenancy/access.decorator.js';
import { IdempotencyInterceptor } from '../../src/tenancy/idempotency.interceptor.js';
import { PUBLIC } from '../../src/tenancy/public.decorator.js';

/** One method under one path of the running application's router, as Express has it: `GET /v1/memory/:id`. */
export interface LiveRoute {
  method: string;
  path: string;
}

interface Layer {
  route?: { path: string | string[]; methods: Record<string, boolean | undefined> };
}

/** Every route that the router would really serve, in its order. */
export function liveRoutes(app: NestExpressApplication): LiveRoute[] {
  const express = app.getHttpAdapter().getInstance() as unknown as { router: { stack: Layer[] } };
  return express.router.stack.flatMap(({ route }) =>
    route === undefined
      ? []
      : [route.path].flat().flatMap((path) =>
          Object.entries(route.methods)
            .filter(([, taken]) => taken === true)
            .map(([method]) => ({ method: method.toUpperCase(), path })),
        ),
  );
}

export const nameOf = ({ method, path }: LiveRoute): string => `${method} ${path}`;

/** What every handler says of who may call it; null where it says nothing. By `Class.method`. */
export function declaredAccess(app: NestExpressApplication): Map<string, Access | 'public' | null> {
  const declared = new Map<string, Access | 'public' | null>();
  for (const module of app.get(ModulesContainer).values()) {
    for (const { metatype } of module.controllers.values()) {
      if (typeof metatype !== 'function') continue;
      const prototype = metatype.prototype as Record<string, unknown>;
      for (const name of Object.getOwnPropertyNames(prototype)) {
        const handler = Object.getOwnPropertyDescriptor(prototype, name)?.value as unknown;
        if (name === 'constructor' || typeof handler !== 'function' || !Reflect.hasMetadata('path', handler))
          continue;
        const own = (key: string): unknown =>
          Reflect.getMetadata(key, handler) ?? Reflect.getMetadata(key, metatype);
        const access = own(PUBLIC) === true ? 'public' : ((own(ACCESS) as Access | undefined) ?? null);
        declared.set(`${metatype.name}.${name}`, access);
      }
    }
  }
  return declared;
}

/** Every handler of a POST that does not take an `Idempotency-Key`. By `Class.method`. */
export function postsWithoutIdempotency(app: NestExpressApplication): string[] {
  const found: string[] = [];
  for (const module of app.get(ModulesContainer).values()) {
    for (const { metatype } of module.controllers.values()) {
      if (typeof metatype !== 'function') continue;
      const prototype = metatype.prototype as Record<string, unknown>;
      for (const name of Object.getOwnPropertyNames(prototype)) {
        const handler = Object.getOwnPropertyDescriptor(prototype, name)?.value as unknown;
        if (typeof handler !== 'function' || Reflect.getMetadata('method', handler) !== RequestMethod.POST)
          continue;
        const interceptors = (Reflect.getMetadata('__interceptors__', handler) ?? []) as unknown[];
        if (!interceptors.includes(IdempotencyInterceptor)) found.push(`${metatype.name}.${name}`);
      }
    }
  }
  return found;
}
