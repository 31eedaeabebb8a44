import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { readFileSync } from 'node:fs';
import { AppModule } from './app.module.js';
import { provisionDefaultTenant } from './installation.js';
import { TenantProvisioning } from './modules/tenants/tenant-provisioning.service.js';
import type { Settings } from './platform/config/settings.js';
import { ServerState } from './platform/health/server-state.js';
import { Connections } from './platform/http/connections.js';
import { installHttpEdge } from './platform/http/http-edge.js';
import { JsonAdapter } from './platform/http/json-adapter.js';
import { installOpenApi } from './platform/http/openapi.js';
import { indexRoutes } from './platform/http/route-index.js';
import type { Log } from './platform/logging/log.js';
import { NestLog } from './platform/logging/nest-log.js';
import { openStores, type Stores } from './stores.js';

/** A server that answers. */
export interface RunningServer {
  url: string;
  app: NestExpressApplication;
  stores: Stores;
  /** Secrets that were made at this start. */
  first: { adminToken: string | null; defaultKey: string | null };
  adminToken: string;
  /** Refuses new requests, finishes those that were accepted, closes every store. */
  stop(): Promise<void>;
}

/** Longer than load balancers keep an idle connection: none sends a request into one that is just being closed. */
const KEEP_IDLE_MS = 65_000;

/** So long a stop waits for a request that is just being sent, and for who reads an answer slowly. */
const SEND_WITHIN_MS = 2_000;
const READ_WITHIN_MS = 10_000;

export async function startServer(settings: Settings, log: Log): Promise<RunningServer> {
  const stores = await openStores(settings);
  let app: NestExpressApplication | null = null;
  try {
    const { secrets } = stores;
    app = await NestFactory.create<NestExpressApplication>(
      AppModule.of({ settings, log, stores, secrets }),
      new JsonAdapter(),
      {
        bodyParser: false,
        logger: new NestLog(log),
        abortOnError: false,
        ...(settings.tls === null
          ? {}
          : {
              httpsOptions: {
                cert: readFileSync(settings.tls.certFile),
                key: readFileSync(settings.tls.keyFile),
              },
            }),
      },
    );
    installHttpEdge(app, settings);
    installOpenApi(app);
    await app.init();
    indexRoutes(app);
    const defaultKey = await provisionDefaultTenant(settings, stores, app.get(TenantProvisioning));
    const connections = new Connections(app.getHttpServer());
    app.getHttpServer().keepAliveTimeout = KEEP_IDLE_MS;
    await app.listen(settings.port, settings.host);
    const state = app.get(ServerState);
    state.becomeReady();
    return {
      url: addressOf(app, settings),
      app,
      stores,
      first: { adminToken: secrets.adminTokenIsNew ? secrets.adminToken : null, defaultKey },
      adminToken: secrets.adminToken,
      stop: () => stop(app, state, stores, connections),
    };
  } catch (error) {
    await app?.close().catch(() => undefined);
    await stores.close();
    throw error;
  }
}

async function stop(
  app: NestExpressApplication | null,
  state: ServerState,
  stores: Stores,
  connections: Connections,
): Promise<void> {
  state.beginStopping();
  // Closing waits for connections that are busy now; they are not kept once they have their answer.
  if (app !== null) app.getHttpServer().keepAliveTimeout = 1;
  await connections.sent(READ_WITHIN_MS);
  // Again and again: behind a request that is still being answered another may begin.
  const unsent = setInterval(() => connections.dropUnsent(), SEND_WITHIN_MS);
  await app?.close();
  clearInterval(unsent);
  await stores.close();
}

function addressOf(app: NestExpressApplication, settings: Settings): string {
  const address: unknown = app.getHttpServer().address();
  const port =
    typeof address === 'object' && address !== null && 'port' in address
      ? Number(address.port)
      : settings.port;
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  return `${settings.tls === null ? 'http' : 'https'}://${host}:${port}`;
}
