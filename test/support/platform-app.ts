import 'reflect-metadata';
import { Module } from '@nestjs/common';
import type { InjectionToken, Type } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import type { Environment } from '../../src/platform/config/environment.js';
import { parseSettings } from '../../src/platform/config/settings.js';
import { HealthProbe } from '../../src/platform/health/health-probe.js';
import { ServerState } from '../../src/platform/health/server-state.js';
import { installHttpEdge } from '../../src/platform/http/http-edge.js';
import { installOpenApi } from '../../src/platform/http/openapi.js';
import { openLog } from '../../src/platform/logging/log.js';
import { NestLog } from '../../src/platform/logging/nest-log.js';
import { PlatformModule } from '../../src/platform/platform.module.js';
import { FailedLogins } from '../../src/tenancy/failed-logins.js';
import { RateWindows } from '../../src/tenancy/rate-windows.js';

export const ADMIN_TOKEN = 'the-admin-token-of-the-tests';

export interface PlatformApp {
  app: NestExpressApplication;
  state: ServerState;
  /** Every line logged so far, parsed. */
  lines: Record<string, unknown>[];
  close(): Promise<void>;
}

/** A real server of these controllers with everything of the platform around them, and nothing else. */
export async function platformApp(options: {
  controllers?: Type[];
  probes?: HealthProbe[];
  env?: Environment;
}): Promise<PlatformApp> {
  const lines: Record<string, unknown>[] = [];
  const settings = parseSettings({ NODE_ENV: 'test', LOG_LEVEL: 'debug', ...options.env });
  const log = openLog(settings, {
    write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  const probes = (options.probes ?? []).map((probe, i) => ({ provide: `probe ${i}`, useValue: probe }));
  const tokens = probes.map(({ provide }) => provide as InjectionToken<HealthProbe>);

  const failures = { provide: FailedLogins, useValue: new FailedLogins(new RateWindows(), settings) };

  @Module({ providers: [...probes, failures], exports: [...tokens, FailedLogins] })
  class Probes {}

  const testing = await Test.createTestingModule({
    imports: [
      PlatformModule.for({ settings, log, adminToken: ADMIN_TOKEN, probes: tokens, imports: [Probes] }),
    ],
    controllers: options.controllers ?? [],
  }).compile();
  const app = testing.createNestApplication<NestExpressApplication>({
    bodyParser: false,
    logger: new NestLog(log),
  });
  installHttpEdge(app, settings);
  installOpenApi(app);
  await app.listen(0, '127.0.0.1');
  const state = app.get(ServerState);
  state.becomeReady();
  return { app, state, lines, close: () => app.close() };
}
