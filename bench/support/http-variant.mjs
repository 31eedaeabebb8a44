/**
 * One server of the build-up that `bench:http` measures, in a process of its own: prints its URL, and ends with its
 * parent. Each variant answers `GET /measured` with the object that it was given.
 *
 *     node http-variant.mjs <variant> <json file>
 */
import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import express from 'express';
import { guards } from './guards.mjs';
import { ROOT } from './server.mjs';

const [variant, file] = process.argv.slice(2);
const answer = JSON.parse(readFileSync(file, 'utf8'));
/** Each has all that those before it have. */
const STEPS = ['nest', 'edge', 'metrics', 'log', 'guard', 'limit'];

process.on('disconnect', () => process.exit(0));
const server = await start();
server.listen(0, '127.0.0.1', () => process.send({ url: `http://127.0.0.1:${server.address().port}` }));

async function start() {
  if (variant === 'node') {
    return createServer((_request, response) => {
      const text = JSON.stringify(answer);
      response.setHeader('Content-Type', 'application/json; charset=utf-8');
      response.setHeader('Content-Length', Buffer.byteLength(text));
      response.end(text);
    });
  }
  if (variant === 'express') {
    const app = express();
    app.get('/measured', (_request, response) => {
      response.json(answer);
    });
    return createServer(app);
  }
  const app = await nest(new Set(STEPS.slice(0, STEPS.indexOf(variant) + 1)));
  await app.init();
  return app.getHttpServer();
}

async function nest(steps) {
  const of = (path) => import(pathToFileURL(join(ROOT, 'dist', path)).href);
  const { parseSettings } = await of('platform/config/settings.js');
  const { Settings } = await of('platform/config/settings.js');
  const { Log, openLog } = await of('platform/logging/log.js');
  const { Metrics } = await of('platform/metrics/metrics.js');
  const { ServerState } = await of('platform/health/server-state.js');
  const { ReplyListeners } = await of('platform/http/reply-listeners.js');
  const { Traffic } = await of('platform/traffic.js');
  const { installHttpEdge } = await of('platform/http/http-edge.js');
  const { JsonAdapter } = await of('platform/http/json-adapter.js');
  const settings = parseSettings({ NODE_ENV: 'production', DEFAULT_RATE_LIMIT: '1000000' });
  const providers = [
    { provide: Settings, useValue: settings },
    { provide: Log, useValue: steps.has('log') ? openLog(settings) : { request: () => undefined } },
    steps.has('metrics') ? Metrics : { provide: Metrics, useValue: { observeReply: () => undefined } },
    ReplyListeners,
    Traffic,
    ServerState,
  ];
  const AppModule = await module(steps, settings, providers, of);
  const adapter = steps.has('edge') ? new JsonAdapter() : new ExpressAdapter();
  const app = await NestFactory.create(AppModule, adapter, {
    bodyParser: !steps.has('edge'),
    logger: ['error'],
  });
  if (steps.has('edge')) installHttpEdge(app, settings);
  return app;
}

async function module(steps, settings, providers, of) {
  const { ForAnyKey } = await of('tenancy/access.decorator.js');
  class Measured {
    get() {
      return answer;
    }
  }
  const method = Object.getOwnPropertyDescriptor(Measured.prototype, 'get');
  Get('measured')(Measured.prototype, 'get', method);
  ForAnyKey()(Measured.prototype, 'get', method);
  Controller()(Measured);
  class AppModule {
    configure(consumer) {
      if (requestScope !== null) consumer.apply(requestScope).forRoutes('{*path}');
    }
  }
  let requestScope = null;
  const imports = [];
  if (steps.has('guard')) {
    requestScope = (await of('tenancy/request-scope.middleware.js')).RequestScope;
    const guarding = await guards(settings, { limited: steps.has('limit') });
    providers.push(...guarding.providers);
    imports.push(...guarding.imports);
  }
  Module({ imports, controllers: [Measured], providers })(AppModule);
  return AppModule;
}
