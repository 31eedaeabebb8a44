import { join } from 'node:path';
import type { ClientConfig } from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import { installationSecrets, type Secrets } from './installation.js';
import type { Homes } from './ledger/homes.js';
import { MiniLmEmbedder } from './models/embedded/minilm-embedder.js';
import { minilmModel } from './models/embedded/minilm-model.js';
import type { Embedder } from './models/embedder.js';
import { modelId, parseModelId } from './models/model-id.js';
import { Models } from './models/models.js';
import { OPENAI_URL } from './models/openai/openai-client.js';
import { OpenAiEmbedder } from './models/openai/openai-embedder.js';
import { openHomes } from './open-homes.js';
import { ApiKeyEntity } from './modules/tenants/api-key.entity.js';
import { TenantEntity } from './modules/tenants/tenant.entity.js';
import { readPlacements, SHARED, type PlacementPlan } from './platform/config/placements-file.js';
import { DataFolder } from './platform/config/data-folder.js';
import type { Settings } from './platform/config/settings.js';
import { Database } from './platform/database/database.js';
import { reaching } from './platform/database/database-not-reached.js';
import { EmbeddedPostgres } from './platform/database/embedded-postgres.js';
import { migrate } from './platform/database/migrations.js';
import { postgresUser } from './platform/database/postgres-user.js';
import { EmbeddedEngine } from './spaces/embedded/embedded-engine.js';
import { FalkorDbEngine } from './spaces/falkordb/falkordb-engine.js';
import { parseServerAddress } from './spaces/falkordb/server-address.js';
import type { GraphEngine } from './spaces/graph-space.js';
import { QdrantEngine } from './spaces/qdrant/qdrant-engine.js';
import type { VectorEngine } from './spaces/vector-space.js';
import type { RateCounter } from './tenancy/rate-counter.js';
import type { MasterKey } from './tenancy/tenant-key.js';
import { ValkeyRateCounter } from './tenancy/valkey-rate-counter.js';
import { Placements, type Placement } from './spaces/placements.js';

/** Everything that keeps something, or answers for somebody who does: opened before the first request, closed after the last. */
export interface Stores {
  folder: DataFolder;
  database: Database;
  homes: Homes;
  placements: Placements;
  models: Models;
  /** Null: every process counts by itself. */
  rateCounter: RateCounter | null;
  /** Call it once nothing is under way any more. */
  close(): Promise<void>;
  /** Ends what would outlive this process, whoever still uses it. Nothing that was committed is lost. */
  cutOff(): Promise<void>;
}

/** Opens what the settings name, embedded where they name nothing. What was opened is closed again where a later part fails. */
export async function openStores(settings: Settings): Promise<Stores & { secrets: Secrets }> {
  const closers: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.reverse()) await closer();
  };
  try {
    const folder = await DataFolder.open({
      path: settings.dataDir,
      databaseUser: settings.databaseUrl === null ? await postgresUser() : null,
    });
    closers.push(() => folder.close());
    const secrets = await installationSecrets(settings, folder);
    const { connection, cutOff } = await openLedger(settings, folder, closers);
    await (settings.databaseUrl === null ? migrate(connection) : reaching(migrate(connection)));
    const size = settings.connections.database;
    const pools = { tenants: size, system: Math.max(2, Math.ceil(size / 2)) };
    const database = await Database.open(connection, [TenantEntity, ApiKeyEntity], pools);
    closers.push(() => database.close());
    const plans = readPlacements(settings);
    const { homes, close: closeHomes } = await openHomes(plans, database, secrets.master, size);
    closers.push(closeHomes);
    const placements = await openPlacements(plans, settings, folder, secrets.master, closers);
    const rateCounter = await openRateCounter(plans, closers);
    const models = await openModels(settings, folder, await modelsInLedger(database), closers);
    return { folder, database, homes, placements, models, rateCounter, secrets, close, cutOff };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openLedger(
  settings: Settings,
  folder: DataFolder,
  closers: (() => Promise<void> | void)[],
): Promise<{ connection: ClientConfig; cutOff: () => Promise<void> }> {
  if (settings.databaseUrl !== null) {
    return { connection: parseIntoClientConfig(settings.databaseUrl), cutOff: () => Promise.resolve() };
  }
  const postgres = await EmbeddedPostgres.start(folder);
  const cutOff = (): Promise<void> => postgres.stop();
  closers.push(cutOff);
  return { connection: { ...postgres.connection }, cutOff };
}

/**
 * One engine for each server that the placements name, however many of them name it. An embedded placement has an engine
 * and a folder of its own, so that moving between two of them moves something.
 */
async function openPlacements(
  plans: PlacementPlan[],
  { connections }: Settings,
  folder: DataFolder,
  master: MasterKey,
  closers: (() => Promise<void> | void)[],
): Promise<Placements> {
  const opened = <T extends { close(): Promise<void> }>(engine: T): T => {
    closers.push(() => engine.close());
    return engine;
  };
  const servers = new Map<string, QdrantEngine | FalkorDbEngine>();
  const qdrantAt = (plan: NonNullable<PlacementPlan['qdrant']>): VectorEngine => {
    const known = servers.get(plan.url);
    if (known instanceof QdrantEngine) return known;
    const engine = opened(new QdrantEngine({ ...plan, connections: connections.qdrant }));
    servers.set(plan.url, engine);
    return engine;
  };
  const falkorDbAt = (plan: NonNullable<PlacementPlan['falkordb']>): GraphEngine => {
    const known = servers.get(plan.url);
    if (known instanceof FalkorDbEngine) return known;
    const secret = { key: master.hash('falkordb users'), version: 1 };
    const engine = opened(
      new FalkorDbEngine({ url: plan.url, secret, connections: { total: connections.falkordb } }),
    );
    servers.set(plan.url, engine);
    return engine;
  };
  const placements: Placement[] = [];
  for (const { name, qdrant, falkordb, maxHotSpaces } of plans.filter(({ served }) => served)) {
    const embedded =
      qdrant !== null && falkordb !== null
        ? null
        : opened(
            await EmbeddedEngine.start({
              folder: name === SHARED ? folder.spaces : join(folder.spaces, name),
            }),
          );
    const vectors = qdrant === null ? embedded?.vectors : qdrantAt(qdrant);
    const graphs = falkordb === null ? embedded?.graphs : falkorDbAt(falkordb);
    if (vectors === undefined || graphs === undefined) throw new Error(`The placement ${name} has no engine`);
    placements.push({ name, vectors, graphs, maxHotSpaces });
  }
  return new Placements(
    placements,
    plans.flatMap(({ name, served }) => (served ? [] : name)),
  );
}

/** In the first FalkorDB that the placements name, served here or not: all replicas have to count in the same one. */
async function openRateCounter(
  plans: PlacementPlan[],
  closers: (() => Promise<void> | void)[],
): Promise<RateCounter | null> {
  const first = plans.find(({ falkordb }) => falkordb !== null)?.falkordb;
  if (first === undefined || first === null) return null;
  const { operator, ...server } = parseServerAddress(first.url);
  const { username, password } = operator;
  const counter = await ValkeyRateCounter.open({ ...server, username, password });
  closers.push(() => counter.close());
  return counter;
}

/** The model that is set, and those that some tenants still answer with, as far as they can still be asked. */
async function openModels(
  settings: Settings,
  folder: DataFolder,
  inLedger: string[],
  closers: (() => Promise<void> | void)[],
): Promise<Models> {
  const opened = async (embedder: Promise<Embedder>): Promise<Embedder> => {
    const started = await embedder;
    closers.push(() => started.close());
    return started;
  };
  const embedded = () => opened(MiniLmEmbedder.start({ cacheDir: folder.models }));
  const remote = (name: string, dimensions?: number) =>
    opened(
      OpenAiEmbedder.start({
        baseUrl: settings.models.baseUrl ?? OPENAI_URL,
        apiKey: settings.models.apiKey ?? '',
        model: name,
        ...(dimensions === undefined ? {} : { dimensions }),
      }),
    );
  const known = inLedger.map(parseModelId);
  const wanted = settings.models.embedding;
  const current =
    wanted === null
      ? await embedded()
      : // What the ledger knows of the model need not be asked: the endpoint may be away just now.
        await remote(wanted, known.find(({ name }) => name === wanted)?.dimensions);
  const others: Embedder[] = [];
  for (const { name, dimensions } of known) {
    if (modelId({ name, dimensions }) === modelId(current.model)) continue;
    if (name === minilmModel('int8').name) others.push(await embedded());
    else if (wanted !== null) others.push(await remote(name, dimensions));
  }
  return new Models(current, others);
}

async function modelsInLedger(database: Database): Promise<string[]> {
  const rows = await database.asSystem<{ embedding_model: string }[]>((manager) =>
    manager.query('SELECT DISTINCT embedding_model FROM tenants'),
  );
  return rows.map((row) => row.embedding_model);
}
