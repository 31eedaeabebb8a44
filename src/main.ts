import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { tellFirstSecrets } from './installation.js';
import { readEnvironment, SettingsError } from './platform/config/environment.js';
import { parseSettings, type Settings } from './platform/config/settings.js';
import { openLog, type Log } from './platform/logging/log.js';
import { version } from './platform/version.js';
import { startServer, type RunningServer } from './server.js';
import { startRefusal } from './start-refusal.js';

/** Whatever is still under way by then is cut off. */
const STOP_WITHIN_MS = 20_000;
/** So long the database may take to end after that. */
const CUT_OFF_WITHIN_MS = 20_000;

/**
 * In percent of what is in use: once so much has come to it, V8 looks for garbage. Left alone it waits for several times as
 * much, and a process that serves a thousand small tenants is twice the size that it needs to be.
 */
const HEAP_GROWTH = 40;

async function main(): Promise<void> {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH}`);
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 22 || (major === 22 && minor < 12)) {
    refuse(
      `Node ${process.versions.node} is too old: Loci needs 22.12 or newer. \`npm start\` brings its own.`,
    );
  }
  let settings: Settings;
  try {
    settings = parseSettings(readEnvironment('.env'));
  } catch (error) {
    if (error instanceof SettingsError) refuse(error.message);
    throw error;
  }
  const log = openLog(settings);
  const server = await start(settings, log);
  let stopping = false;
  const stop = (signal: string): void => {
    // Ctrl-C reaches us from the terminal and once more from npm.
    if (stopping) return;
    stopping = true;
    say(`Stopping (${signal}): finishing what was accepted.`);
    const end = (code: number): never => {
      log.flush();
      process.exit(code);
    };
    let late = false;
    setTimeout(() => {
      late = true;
      log.error({}, 'the stop took too long: what is still under way is cut off');
      setTimeout(() => end(1), CUT_OFF_WITHIN_MS).unref();
      const cut = (): never => end(1);
      server.stores.cutOff().then(cut, cut);
    }, STOP_WITHIN_MS).unref();
    server.stop().then(
      () => {
        if (late) return;
        say('Stopped.');
        end(0);
      },
      (error: unknown) => {
        if (late) return;
        log.error({ error }, 'the stop failed');
        end(1);
      },
    );
  };
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGTERM', () => stop('SIGTERM'));
  const isTerminal = process.stdout.isTTY;
  say(`Loci ${version} answers at ${server.url}`);
  say(`Data                  ${server.stores.folder.path}`);
  say(`Documentation         ${server.url}/docs`);
  if (settings.adminToken === null && server.first.adminToken === null) {
    say(`Admin token           in ${join(server.stores.folder.keys, 'admin-token')}`);
  }
  for (const line of await tellFirstSecrets(server.stores.folder, server.first, isTerminal)) say(line);
}

async function start(settings: Settings, log: Log): Promise<RunningServer> {
  try {
    return await startServer(settings, log);
  } catch (error) {
    log.flush();
    const refusal = startRefusal(error, settings);
    if (refusal !== null) refuse(refusal);
    log.error({ error }, 'the start failed');
    log.flush();
    refuse(error instanceof Error ? error.message : String(error));
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function refuse(line: string): never {
  process.stderr.write(`${line}\n`);
  process.exit(1);
}

await main();
