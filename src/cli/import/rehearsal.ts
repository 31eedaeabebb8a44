import { KINDS, type ImportRecord, type ImportSource } from './import-source.js';
import type { Tally } from './tally.js';

/** Of `POST /memory`, in bytes of UTF-8. */
const MOST_CONTENT = 65_536;

/** Reads everything, as a run would, and refuses what can be told to be wrong without asking the server. */
export async function rehearse(source: ImportSource, tally: Tally, onProgress: () => void): Promise<void> {
  for (const kind of KINDS) {
    for await (const record of source.records(kind)) {
      const reason = faultOf(record);
      if (reason !== null) tally.refuse({ kind, place: record.place, reason });
    }
    onProgress();
  }
}

function faultOf({ kind, fields }: ImportRecord): string | null {
  if (kind === 'memory') {
    const { content } = fields;
    if (!isText(content)) return 'content must be a text';
    return Buffer.byteLength(content) > MOST_CONTENT ? 'content must be at most 64 KB' : null;
  }
  if (kind === 'agent') return isText(fields['name']) ? null : 'name must be a text';
  if (kind === 'relation') {
    const missing = ['memory1_id', 'memory2_id', 'type'].filter(
      (name) => !isText(fields[name]) && typeof fields[name] !== 'number',
    );
    return missing.length === 0 ? null : `${missing.join(', ')} must be there`;
  }
  return null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}
