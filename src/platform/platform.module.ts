import { Global, Module } from '@nestjs/common';
import type { DynamicModule, InjectionToken, Provider } from '@nestjs/common';
import { Settings } from './config/settings.js';
import { FrontController } from './http/front.controller.js';
import { ReplyListeners } from './http/reply-listeners.js';
import { HealthController } from './health/health.controller.js';
import { HEALTH_PROBES } from './health/health-probe.js';
import type { HealthProbe } from './health/health-probe.js';
import { HealthService } from './health/health.service.js';
import { ServerState } from './health/server-state.js';
import { Log } from './logging/log.js';
import { MetricsAccess } from './metrics/metrics-access.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { GuardedFetch } from './outgoing/guarded-fetch.js';
import { Metrics } from './metrics/metrics.js';
import { Traffic } from './traffic.js';

export interface PlatformOptions {
  settings: Settings;
  log: Log;
  /** As it was set, or made at the first start. */
  adminToken: string;
  /** Injectable probes, which `imports` export. */
  probes: readonly InjectionToken<HealthProbe>[];
  imports: NonNullable<DynamicModule['imports']>;
}

/** What every module may inject: Settings, Log, Metrics, ServerState, GuardedFetch; and the routes of health and metrics. */
@Global()
@Module({})
export class PlatformModule {
  static for({ settings, log, adminToken, probes, imports }: PlatformOptions): DynamicModule {
    const providers: Provider[] = [
      { provide: Settings, useValue: settings },
      { provide: Log, useValue: log },
      { provide: GuardedFetch, useValue: new GuardedFetch(settings.privateHosts) },
      { provide: MetricsAccess, useValue: new MetricsAccess([adminToken, settings.metricsToken]) },
      {
        provide: HEALTH_PROBES,
        useFactory: (...found: HealthProbe[]) => found,
        inject: [...probes],
      },
      Metrics,
      ReplyListeners,
      Traffic,
      ServerState,
      HealthService,
    ];
    return {
      module: PlatformModule,
      imports,
      controllers: [FrontController, HealthController, MetricsController],
      providers,
      exports: [Settings, Log, Metrics, ReplyListeners, Traffic, ServerState, GuardedFetch],
    };
  }
}
