import { join } from 'node:path';
import type { ClientConfig } from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import { MiniLmEmbedder } from './models/embedded/minilm-embedder.js';
import { minilmModel } from './models/embedded/minilm-model.js';
import type { Embedder } from './models/embedder.js';
import { modelId, parseModelId } from './models/model-id.js';
import { Models } from './models/models.js';
import { OpenAiEmbedder } from './models/openai/openai-embedder.js';
import { ApiKeyEntity } from './modules/tenants/api-key.entity.js';
import { TenantEntity } from './modules/tenants/tenant.entity.js';
import { readPlacements, SHARED, type PlacementPlan } from './platform/config/placements-file.js';
import { DataFolder } from './platform/config/data-folder.js';
import type { Settings } from './platform/config/settings.js';
import { Database } from './platform/database/database.js';
import { EmbeddedPostgres } from './platform/database/embedded-postgres.js';
import { migrate } from './platform/database/migrations.js';
import { postgresUser } from './platform/database/postgres-user.js';
import { EmbeddedEngine } from './spaces/embedded/embedded-engine.js';
import { Placements, type Placement } from './spaces/placements.js';

const POOL = { tenants: 16, system: 8 };
const OPENAI = 'https://api.openai.com/v1';

/** Everything that keeps something, or answers for somebody who does: opened before the first request, closed after the last. */
export interface Stores {
  folder: DataFolder;
  database: Database;
  placements: Placements;
  models: Models;
  /** Call it once nothing is under way any more. */
  close(): Promise<void>;
}

/** Opens what the settings name, embedded where they name nothing. What was opened is closed again where a later part fails. */
export async function openStores(settings: Settings): Promise<Stores> {
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
    const connection = await openLedger(settings, folder, closers);
    await migrate(connection);
    const database = await Database.open(connection, [TenantEntity, ApiKeyEntity], POOL);
    closers.push(() => database.close());
    const placements = await openPlacements(readPlacements(settings), folder, closers);
    const models = await openModels(settings, folder, await modelsInLedger(database), closers);
    return { folder, database, placements, models, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openLedger(
  settings: Settings,
  folder: DataFolder,
  closers: (() => Promise<void> | void)[],
): Promise<ClientConfig> {
  if (settings.databaseUrl !== null) return parseIntoClientConfig(settings.databaseUrl);
  const postgres = await EmbeddedPostgres.start(folder);
  closers.push(() => postgres.stop());
  return { ...postgres.connection };
}

/** Embedded placements have engines and folders of their own, so that moving between them moves something. */
async function openPlacements(
  plans: PlacementPlan[],
  folder: DataFolder,
  closers: (() => Promise<void> | void)[],
): Promise<Placements> {
  const placements: Placement[] = [];
  for (const { name, maxHotSpaces } of plans) {
    const engine = await EmbeddedEngine.start({
      folder: name === SHARED ? folder.spaces : join(folder.spaces, name),
    });
    closers.push(() => engine.close());
    placements.push({ name, vectors: engine.vectors, graphs: engine.graphs, maxHotSpaces });
  }
  return new Placements(placements);
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
        baseUrl: settings.models.baseUrl ?? OPENAI,
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
