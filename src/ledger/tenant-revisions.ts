import { Injectable, Logger } from '@nestjs/common';
import type { QueryResultRow } from 'pg';
import type { TenantId } from '../tenancy/tenant.js';
import { Homes, MAIN } from './homes.js';

interface RevisionRow extends QueryResultRow {
  id: TenantId;
  revision: string;
  home: string;
}

/** How far the ledgers of many tenants are, in one question to each database that ledgers are in. */
@Injectable()
export class TenantRevisions {
  private readonly logger = new Logger(TenantRevisions.name);

  constructor(private readonly homes: Homes) {}

  /** Those that are known now: a ledger whose database is away is left out. */
  async of(tenants: readonly TenantId[]): Promise<Map<TenantId, number>> {
    const revisions = new Map<TenantId, number>();
    await Promise.all(
      [MAIN, ...this.homes.others].map(async (home) => {
        for (const row of await this.rowsIn(home, tenants)) {
          // A database also has rows of ledgers that have left it, or are still on their way.
          if (this.homes.same(row.home, home)) revisions.set(row.id, Number(row.revision));
        }
      }),
    );
    return revisions;
  }

  private async rowsIn(home: string, tenants: readonly TenantId[]): Promise<RevisionRow[]> {
    try {
      const database = await this.homes.of(home);
      return await database.readAsSystem<RevisionRow>(
        'SELECT id, revision, home FROM tenants WHERE id = ANY($1)',
        [tenants],
      );
    } catch (error) {
      this.logger.debug(`The ledgers in ${home} cannot be asked: ${String(error)}`);
      return [];
    }
  }
}
