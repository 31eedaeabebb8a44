import type { AuditFilter, AuditOrder, AuditRecord } from './audit-records.js';

/** How far a list has been read: for each database the id of the last record that was shown of it. */
export type AuditPlace = ReadonlyMap<string, string>;

export interface AuditPage {
  order: AuditOrder;
  limit: number;
  after: AuditPlace;
}

/** Reads a page of records. */
export type ReadPage<R extends AuditRecord> = (filter: AuditFilter, page: AuditPage) => Promise<R[]>;

/** One page out of several databases, by time; records of one database stay in the order in which they were written. */
export function mergedByTime<R extends AuditRecord>(lists: R[][], order: AuditOrder, limit: number): R[] {
  const left = lists.map((list) => [...list].reverse());
  const merged: R[] = [];
  while (merged.length < limit) {
    const heads = left.filter((list) => list.length > 0);
    const [first, ...others] = heads;
    if (first === undefined) break;
    const next = others.reduce(
      (best, list) => (comesBefore(list.at(-1), best.at(-1), order) ? list : best),
      first,
    );
    const record = next.pop();
    if (record !== undefined) merged.push(record);
  }
  return merged;
}

function comesBefore(
  one: AuditRecord | undefined,
  other: AuditRecord | undefined,
  order: AuditOrder,
): boolean {
  if (one === undefined || other === undefined) return false;
  return order === 'newest' ? one.at > other.at : one.at < other.at;
}

export function placeAfter(place: AuditPlace, records: AuditRecord[]): AuditPlace {
  return new Map([...place, ...records.map(({ home, rowId }): [string, string] => [home, rowId])]);
}

export function writeAuditCursor(place: AuditPlace): string {
  const ends = [...place].map(([home, id]) => `${home}:${id}`);
  return Buffer.from(`audit/${ends.join(',')}`).toString('base64url');
}

/** Null for anything that `writeAuditCursor` did not write. */
export function readAuditCursor(cursor: string): AuditPlace | null {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!/^audit\/[^:,]+:\d{1,18}(?:,[^:,]+:\d{1,18})*$/.test(text)) return null;
  const ends = text.slice('audit/'.length).split(',');
  return new Map(ends.map((end) => end.split(':') as [string, string]));
}
