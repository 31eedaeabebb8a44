import { readFileSync } from 'node:fs';
import { SettingsError } from './environment.js';
import type { Settings } from './settings.js';

/** One placement as it was written down. Null: the embedded engine. */
export interface PlacementPlan {
  name: string;
  qdrant: { url: string; apiKey: string | null } | null;
  falkordb: { url: string } | null;
  /** Of its tenants' ledgers. Null: the main database. */
  database: { url: string } | null;
  maxHotSpaces: number | null;
  /** Whether this process opens it. */
  served: boolean;
}

export const SHARED = 'shared';
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$/;
const MEMBERS = ['qdrant_url', 'qdrant_api_key', 'falkordb_url', 'database_url', 'max_hot_spaces'];

/** `LOCI_PLACEMENTS`, or the one placement that the other settings describe. Throws `SettingsError`. */
export function readPlacements(settings: Settings): PlacementPlan[] {
  const shared: PlacementPlan = {
    name: SHARED,
    qdrant: settings.qdrant,
    falkordb: settings.falkordb,
    database: null,
    maxHotSpaces: null,
    served: true,
  };
  const plans =
    settings.placementsFile === null
      ? []
      : Object.entries(readObject(settings.placementsFile)).map(([name, plan]) => parsePlan(name, plan));
  const all = bind(
    plans.some(({ name }) => name === SHARED) ? plans : [shared, ...plans],
    settings.servedPlacements,
  );
  const embedded = all.find(
    ({ served, qdrant, falkordb }) => served && (qdrant === null || falkordb === null),
  );
  if (settings.placementsFile !== null && settings.role !== 'all' && embedded !== undefined) {
    throw refuse(`must give ${embedded.name} both servers where LOCI_ROLE is not all`);
  }
  return all;
}

/** Which of them this process serves. Throws `SettingsError` where one is named that there is not. */
function bind(plans: PlacementPlan[], served: readonly string[] | null): PlacementPlan[] {
  if (served === null) return plans;
  const known = new Set(plans.map(({ name }) => name));
  if (!served.every((name) => known.has(name))) {
    throw new SettingsError('LOCI_SERVE_PLACEMENTS', 'names a placement that is not set up');
  }
  return plans.map((plan) => ({ ...plan, served: served.includes(plan.name) }));
}

function readObject(file: string): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw refuse('names a file that cannot be read as JSON');
  }
  if (!isObject(parsed)) throw refuse('must hold an object of placements by name');
  return parsed;
}

function parsePlan(name: string, plan: unknown): PlacementPlan {
  if (!NAME.test(name)) throw refuse('holds a name that is not made of a-z, 0-9 and -');
  if (!isObject(plan)) throw refuse(`must describe ${name} by an object`);
  const unknown = Object.keys(plan).find((member) => !MEMBERS.includes(member));
  if (unknown !== undefined) throw refuse(`does not know \`${unknown}\` of ${name}`);
  const qdrant = url(plan, name, 'qdrant_url', ['http:', 'https:']);
  const falkordb = url(plan, name, 'falkordb_url', ['falkor:', 'falkors:', 'redis:', 'rediss:']);
  const database = url(plan, name, 'database_url', ['postgres:', 'postgresql:']);
  if (database !== null && name === 'main') {
    throw refuse(
      'must not give a placement called main a database of its own: that is the word for the main one',
    );
  }
  const apiKey = plan['qdrant_api_key'];
  if (apiKey !== undefined && (typeof apiKey !== 'string' || qdrant === null)) {
    throw refuse(`must give ${name}'s qdrant_api_key as a string beside its qdrant_url`);
  }
  const maxHotSpaces = plan['max_hot_spaces'] ?? null;
  if (maxHotSpaces !== null && !(Number.isInteger(maxHotSpaces) && Number(maxHotSpaces) > 0)) {
    throw refuse(`must give ${name}'s max_hot_spaces as a whole number above 0`);
  }
  return {
    name,
    qdrant: qdrant === null ? null : { url: qdrant, apiKey: apiKey ?? null },
    falkordb: falkordb === null ? null : { url: falkordb },
    database: database === null ? null : { url: database },
    maxHotSpaces: maxHotSpaces === null ? null : Number(maxHotSpaces),
    served: true,
  };
}

function url(plan: Record<string, unknown>, name: string, member: string, schemes: string[]): string | null {
  const value = plan[member];
  if (value === undefined) return null;
  if (typeof value === 'string' && URL.canParse(value) && schemes.includes(new URL(value).protocol))
    return value;
  throw refuse(`must give ${name}'s ${member} as a URL`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(complaint: string): SettingsError {
  return new SettingsError('LOCI_PLACEMENTS', complaint);
}
