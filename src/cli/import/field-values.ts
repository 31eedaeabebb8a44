const NUMBERS = new Set(['importance', 'confidence', 'strength', 'temperature', 'observations']);
const LISTS = new Set(['tags', 'enabled_tools']);
const OBJECTS = new Set(['metadata', 'tool_config']);
const NAMES = new Set([
  'id',
  'memory1_id',
  'memory2_id',
  'workspace_id',
  'session_id',
  'user_id',
  'agent_id',
  'type',
]);

/**
 * A database's value as Loci's routes take it: times in ISO 8601, `numeric` as a number, lists and objects also where
 * they were kept as text. What cannot be understood is handed on as it is, for the server to refuse. Undefined: nothing.
 */
export function fieldValue(field: string, value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? String(value) : value.toISOString();
  if (NAMES.has(field) && typeof value === 'number') return String(value);
  if (typeof value !== 'string') return value;
  if (NUMBERS.has(field))
    return value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value;
  if (OBJECTS.has(field)) return value.trim() === '' ? undefined : (parsed(value) ?? value);
  if (LISTS.has(field)) return listOf(value);
  return value;
}

/** `["a","b"]`, or `a, b`. */
function listOf(text: string): unknown {
  const list = parsed(text);
  if (Array.isArray(list)) return list;
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
