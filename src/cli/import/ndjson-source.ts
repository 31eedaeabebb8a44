import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { CommandFailed, EXIT } from '../command-failed.js';
import {
  ImportSource,
  KINDS,
  noCounts,
  type ImportRecord,
  type Kind,
  type RefusedRecord,
  type Survey,
} from './import-source.js';

/** A file with one JSON object a line: `kind` (memory where absent) and the fields that Loci's routes take. */
export class NdjsonSource extends ImportSource {
  private constructor(private readonly path: string) {
    super();
  }

  static async open(path: string): Promise<NdjsonSource> {
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      throw new CommandFailed(EXIT.usage, `${path} cannot be read (${error.code ?? error.message}).`);
    });
    if (!found.isFile()) throw new CommandFailed(EXIT.usage, `${path} is no file.`);
    return new NdjsonSource(path);
  }

  async survey(): Promise<Survey> {
    const survey: Survey = { counts: noCounts(), refused: [], notes: [] };
    for await (const read of this.lines()) {
      if ('reason' in read) survey.refused.push(read);
      else survey.counts[read.kind]++;
    }
    return survey;
  }

  async *records(kind: Kind): AsyncIterable<ImportRecord> {
    for await (const read of this.lines()) if (!('reason' in read) && read.kind === kind) yield read;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private async *lines(): AsyncIterable<ImportRecord | RefusedRecord> {
    const input = createReadStream(this.path, 'utf8');
    let number = 0;
    try {
      for await (const line of createInterface({ input, crlfDelay: Infinity })) {
        number++;
        // A byte order mark is white space to `trim`, and nothing that JSON knows.
        const text = line.trim();
        if (text !== '') yield readLine(text, `line ${number}`);
      }
    } catch (error) {
      throw new CommandFailed(EXIT.usage, `${this.path} cannot be read on: ${String(error)}.`);
    } finally {
      input.destroy();
    }
  }
}

function readLine(text: string, place: string): ImportRecord | RefusedRecord {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return { kind: null, place, reason: 'is not JSON.' };
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read)) {
    return { kind: null, place, reason: 'is no JSON object.' };
  }
  const { kind: named = 'memory', ...fields } = read as Record<string, unknown>;
  const kind = KINDS.find((each) => each === named);
  return kind === undefined
    ? { kind: null, place, reason: `has a kind that is none of ${KINDS.join(', ')}.` }
    : { kind, place, fields };
}
