/**
 * Makes a bare checkout ready to run, and prints the Node to run it with.
 *
 *     node=$(node scripts/prepare.mjs [--build])
 *
 * Runs on whatever Node the machine has, before any package is installed: so it uses none. What it has to say goes
 * to stderr; stdout carries the one path.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const NODE_NEEDED = [22, 12];
const STAMP = join(ROOT, 'dist', '.built-from');
const WAIT_MS = 15 * 60_000;

class CannotPrepare extends Error {}

/** Returns the path of the Node to use. Two calls at once do the work once. */
export async function prepare({ build = false } = {}) {
  if (!isInstalled()) {
    await underLock(() => {
      if (!isInstalled()) install();
    });
  }
  const node = findNode();
  if (build && !isBuilt()) {
    await underLock(() => {
      if (!isBuilt()) buildWith(node);
    });
  }
  return node;
}

/**
 * npm keeps a list of what it put into node_modules, written last. Everything locked must be on it;
 * optional packages are for other machines where they are not.
 */
function isInstalled() {
  const wanted = readPackages('package-lock.json');
  const found = readPackages('node_modules/.package-lock.json');
  if (!wanted) throw new CannotPrepare('package-lock.json is missing or broken: get it back from git.');
  if (!found) return false;
  return Object.entries(wanted).every(
    ([path, { version, integrity, optional }]) =>
      path === '' ||
      (found[path] ? found[path].version === version && found[path].integrity === integrity : optional),
  );
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(join(ROOT, file), 'utf8')).packages;
  } catch {
    return null;
  }
}

function install() {
  say('Installing what package-lock.json lists; the first time takes a minute.');
  // Not `npm ci`: it refuses a lock that lacks some machine's optional package. `--no-save` leaves the lock alone too.
  // Building needs the development packages, also where NODE_ENV=production would leave them out.
  const args = [
    'install',
    '--no-save',
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
  ];
  args.push('--loglevel=error', '--no-progress');
  // Without a network npm retries package by package, for many minutes; from its cache it knows at once.
  const offline = !registryAnswers();
  if (offline) args.push('--offline');
  if (npm(args, ['ignore', 2, 2]).status !== 0) {
    throw new CannotPrepare(
      offline
        ? 'The npm registry cannot be reached, and its cache lacks packages: installing needs the network once.'
        : 'npm could not install the packages: see above.',
    );
  }
}

const NO_NETWORK = /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH)\b/;

function registryAnswers() {
  return !NO_NETWORK.test(npm(['view', 'typescript', 'version', '--fetch-retries=0'], 'pipe').stderr);
}

function npm(args, stdio) {
  const path = process.env.npm_execpath;
  const [command, first] = path?.endsWith('.js') ? [process.execPath, [path]] : ['npm', []];
  const result = spawnSync(command, [...first, ...args, ...cache()], { cwd: ROOT, stdio, encoding: 'utf8' });
  if (result.error?.code === 'ENOENT') throw new CannotPrepare('npm is not installed on this machine.');
  return result;
}

/** The cache that npm names may be another user's, where somebody became us and kept their environment. */
function cache() {
  const named = process.env.npm_config_cache;
  if (!named) return [];
  try {
    mkdirSync(named, { recursive: true });
    accessSync(named, constants.W_OK | constants.X_OK);
    return [];
  } catch {
    return [`--cache=${join(tmpdir(), `loci-npm-cache-${process.getuid?.() ?? 0}`)}`];
  }
}

/** The one that npm brought; else our own, where it is new enough. */
function findNode() {
  const brought = join(ROOT, 'node_modules', '.bin', 'node');
  if (existsSync(brought) && isNewEnough(versionOf(brought))) return brought;
  if (isNewEnough(process.versions.node)) return process.execPath;
  throw new CannotPrepare(
    `Loci needs Node ${NODE_NEEDED.join('.')} or newer: this is ${process.versions.node}, and npm has brought none that runs on ${process.platform}-${process.arch}.`,
  );
}

function versionOf(node) {
  const { stdout } = spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' });
  return stdout?.trim() || '0.0';
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor >= NODE_NEEDED[1]);
}

function isBuilt() {
  try {
    return readFileSync(STAMP, 'utf8') === sources();
  } catch {
    return false;
  }
}

/** A hash of all that `dist` is made from. */
function sources() {
  const files = ['tsconfig.json', 'nest-cli.json', '.swcrc', 'package-lock.json'].map((name) =>
    join(ROOT, name),
  );
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else files.push(path);
    }
  };
  walk(join(ROOT, 'src'));
  const hash = createHash('sha256');
  for (const file of files.sort())
    hash
      .update(`${relative(ROOT, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  return hash.digest('hex');
}

function buildWith(node) {
  // Taken before: what is edited meanwhile is built next time.
  const builtFrom = sources();
  const nest = join(ROOT, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
  const { status, stdout, stderr } = spawnSync(node, [nest, 'build'], { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new CannotPrepare(`The build failed.\n${stdout}${stderr}`);
  writeFileSync(STAMP, builtFrom);
}

/** One at a time in this checkout. A lock whose holder has died is taken over. */
async function underLock(work) {
  const lock = join(ROOT, '.prepare.lock');
  const mine = `${process.pid} ${bornAt(process.pid)}`;
  let waiting = false;
  for (const deadline = Date.now() + WAIT_MS; ;) {
    try {
      writeFileSync(lock, mine, { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw new CannotPrepare(`${ROOT} cannot be written: ${error.code}.`);
    }
    if (Date.now() > deadline)
      throw new CannotPrepare(`Another process holds ${lock} for too long: remove it.`);
    if (!takeFromTheDead(lock)) {
      if (!waiting) say('Another process is installing or building here: waiting for it.');
      waiting = true;
      await new Promise((resume) => setTimeout(resume, 100));
    }
  }
  try {
    work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function takeFromTheDead(lock) {
  const read = (file) => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return '';
    }
  };
  const holder = read(lock);
  // Empty: being written just now, or gone.
  if (holder === '') return false;
  const [pid, born] = holder.split(' ');
  if (bornAt(Number(pid)) === born) return false;
  // Moved aside first: of several who see the same dead holder, one gets it.
  const aside = `${lock}.${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch {
    return true;
  }
  if (read(aside) === holder) rmSync(aside);
  else renameSync(aside, lock);
  return true;
}

/** When a process began: a number given to another process later has another birth. `gone` where it is dead. */
function bornAt(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return 'gone';
  }
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return status.slice(status.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return 'alive';
  }
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(`${await prepare({ build: process.argv.includes('--build') })}\n`);
  } catch (error) {
    if (!(error instanceof CannotPrepare)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}
