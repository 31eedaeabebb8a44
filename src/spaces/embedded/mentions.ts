import type { Sharer, SharersQuery } from '../graph-space.js';
import type { TenantFile } from './tenant-file.js';

/** Which entities the memories in a tenant's file name: the edges from memory to entity. */
export class Mentions {
  constructor(private readonly file: TenantFile) {}

  add(ws: number, id: string, entities: readonly string[]): void {
    for (const entity of entities) {
      this.file.sql('INSERT OR IGNORE INTO mentions VALUES (?, ?, ?)').run(ws, id, entity);
    }
  }

  forget(ws: number, id: string): void {
    this.file.sql('DELETE FROM mentions WHERE ws = ? AND id = ?').run(ws, id);
  }

  count(): { entities: number; mentions: number } {
    return {
      entities: this.file.sql('SELECT count(*) FROM entities').pluck().get() as number,
      mentions: this.file.sql('SELECT count(*) FROM mentions').pluck().get() as number,
    };
  }

  sharersOf(ws: number, { of, each, most }: SharersQuery): Sharer[] {
    const naming = new Map<string, string[]>();
    const named = (id: string): string[] =>
      this.file.sql('SELECT entity FROM mentions WHERE ws = ? AND id = ?').pluck().all(ws, id) as string[];
    // One more is read than may be: it tells that they are too many.
    const whoNames = (entity: string): string[] => {
      const known =
        naming.get(entity) ??
        (this.file
          .sql('SELECT id FROM mentions WHERE ws = ? AND entity = ? LIMIT ?')
          .pluck()
          .all(ws, entity, most + 1) as string[]);
      naming.set(entity, known);
      return known.length > most ? [] : known;
    };
    return [...new Set(of)].flatMap((id) => {
      const others = new Map<string, Sharer>();
      for (const entity of named(id)) {
        const ids = whoNames(entity);
        for (const far of ids) {
          const known = others.get(far);
          const here: Sharer = {
            of: id,
            far,
            entity,
            mentions: ids.length,
            shared: (known?.shared ?? 0) + 1,
          };
          others.set(
            far,
            known === undefined || isRarer(here, known) ? here : { ...known, shared: here.shared },
          );
        }
      }
      others.delete(id);
      return [...others.values()].sort(rarestFirst).slice(0, each);
    });
  }
}

function isRarer(a: Sharer, b: Sharer): boolean {
  return a.mentions < b.mentions || (a.mentions === b.mentions && a.entity < b.entity);
}

function rarestFirst(a: Sharer, b: Sharer): number {
  return a.mentions - b.mentions || b.shared - a.shared || (a.far < b.far ? -1 : 1);
}
