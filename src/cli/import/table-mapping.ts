import { readFileSync } from 'node:fs';
import { CommandFailed, EXIT } from '../command-failed.js';
import type { Kind } from './import-source.js';

type Scalar = string | number | boolean | null;

/** Which table holds a kind, and which of its columns is which field. */
export interface TableMapping {
  /** The first of these that is there. */
  tables: readonly string[];
  /** Named by the caller: then it must be there. */
  required: boolean;
  /** For each field the first of these columns that is there, or none. */
  usual: Readonly<Record<string, readonly string[]>>;
  /** The column that the caller named for a field; null: none. */
  named: Readonly<Record<string, string | null>>;
  /** Only rows in which each of these columns has this value. */
  where: Readonly<Record<string, Scalar>>;
}

/** Null: that kind stays where it is. */
export type Mapping = Record<Kind, TableMapping | null>;

/** How `--map` calls the kinds: as their tables are called. */
const NAMES = { agents: 'agent', memories: 'memory', relations: 'relation', documents: 'document' } as const;

const MEMORY_COLUMNS = {
  id: ['id', 'memory_id'],
  content: ['content', 'text'],
  type: ['type', 'memory_type', 'layer'],
  tags: ['tags'],
  importance: ['importance'],
  confidence: ['confidence'],
  metadata: ['metadata'],
  timestamp: ['timestamp', 'created_at'],
  t_valid: ['t_valid'],
  t_invalid: ['t_invalid'],
  session_id: ['session_id'],
  user_id: ['user_id'],
  agent_id: ['agent_id'],
  source: ['source'],
};

const RELATION_COLUMNS = {
  memory1_id: ['memory1_id', 'source_id', 'from_id', 'source_memory_id'],
  memory2_id: ['memory2_id', 'target_id', 'to_id', 'target_memory_id'],
  type: ['type', 'relation_type', 'relation'],
  strength: ['strength', 'weight'],
};

const AGENT_COLUMNS = {
  id: ['id'],
  name: ['name'],
  slug: ['slug'],
  description: ['description'],
  system_prompt: ['system_prompt'],
  model_provider: ['model_provider'],
  model_name: ['model_name', 'model'],
  temperature: ['temperature'],
  enabled_tools: ['enabled_tools'],
  tool_config: ['tool_config'],
  agent_type: ['agent_type'],
  is_public: ['is_public'],
  is_active: ['is_active'],
};

const DOCUMENT_COLUMNS = {
  id: ['id'],
  title: ['title'],
  source: ['source'],
  content: ['content'],
  metadata: ['metadata'],
};

/** Tables and columns as systems of this kind commonly call them. */
export const USUAL_MAPPING: Mapping = {
  agent: usual(['agents'], AGENT_COLUMNS),
  memory: usual(['memories'], MEMORY_COLUMNS),
  relation: usual(['memory_relations', 'relations', 'associations'], RELATION_COLUMNS),
  document: usual(['documents'], DOCUMENT_COLUMNS),
};

function usual(tables: string[], columns: Record<string, string[]>): TableMapping {
  return { tables, required: false, usual: columns, named: {}, where: {} };
}

/** The usual mapping, changed by what a JSON file says. Throws `CommandFailed` with what is wrong with it. */
export function readMapping(file: string): Mapping {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw wrong(file, `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw wrong(file, 'is not JSON');
  }
  if (!isObject(given)) throw wrong(file, 'must be an object');
  const mapping = { ...USUAL_MAPPING };
  for (const [name, change] of Object.entries(given)) {
    if (!isName(name))
      throw wrong(file, `names \`${name}\`, which is none of ${Object.keys(NAMES).join(', ')}`);
    const kind = NAMES[name];
    mapping[kind] = change === null ? null : changed(file, name, USUAL_MAPPING[kind], change);
  }
  return mapping;
}

function changed(file: string, name: string, before: TableMapping | null, change: unknown): TableMapping {
  if (before === null || !isObject(change)) throw wrong(file, `${name} must be an object or null`);
  const { table, columns = {}, where = {}, ...others } = change;
  const [other] = Object.keys(others);
  if (other !== undefined) throw wrong(file, `${name}.${other} is none of table, columns, where`);
  if (table !== undefined && (typeof table !== 'string' || table === '')) {
    throw wrong(file, `${name}.table must be a name`);
  }
  if (!isObject(columns)) throw wrong(file, `${name}.columns must be an object`);
  if (!isObject(where) || !Object.values(where).every(isScalar)) {
    throw wrong(file, `${name}.where must be an object of single values`);
  }
  const named: Record<string, string | null> = {};
  for (const [field, column] of Object.entries(columns)) {
    if (column !== null && (typeof column !== 'string' || column === '')) {
      throw wrong(file, `${name}.columns.${field} must be a column's name, or null for none`);
    }
    named[field] = column;
  }
  return {
    tables: table === undefined ? before.tables : [table],
    required: true,
    usual: before.usual,
    named,
    where: where as Record<string, Scalar>,
  };
}

function wrong(file: string, complaint: string): CommandFailed {
  return new CommandFailed(EXIT.usage, `The mapping ${file} ${complaint}.`);
}

function isName(name: string): name is keyof typeof NAMES {
  return Object.hasOwn(NAMES, name);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): value is Scalar {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
