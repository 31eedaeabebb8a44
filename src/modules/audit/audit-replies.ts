import { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';
import { parseInstant } from '../../platform/http/instant.js';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import {
  placeAfter,
  readAuditCursor,
  writeAuditCursor,
  type AuditPlace,
  type ReadPage,
} from './audit-places.js';
import type { AuditFilter, AuditRecord } from './audit-records.js';
import type { NamedRecord } from './audit.service.js';
import type { ChainReport } from './audit-verification.service.js';
import type {
  AuditRecordDto,
  AuditVerificationDto,
  InstallationRecordDto,
  ListAuditDto,
} from './audit.dto.js';

export const NDJSON = 'application/x-ndjson';
const EXPORT_PAGE = 500;
const MOST = 100;
const START: AuditPlace = new Map();

/** A page, or all of it as NDJSON: the same filters, whichever way it goes out. */
export async function answerWith<R extends AuditRecord, D>(
  query: ListAuditDto,
  accept: string | undefined,
  read: ReadPage<R>,
  shown: (record: R) => D,
): Promise<{ data: D[]; next_cursor: string | null } | StreamableFile> {
  const filter = filterOf(query);
  const asLines =
    query.format === 'ndjson' || (query.format === undefined && accept?.includes(NDJSON) === true);
  if (asLines) return new StreamableFile(Readable.from(lines(filter, read, shown)), { type: NDJSON });
  const after = query.cursor === undefined ? START : placeOf(query.cursor);
  // One more than asked for tells whether there is a next page.
  const found = await read(filter, { order: 'newest', limit: query.limit + 1, after });
  const page = found.slice(0, query.limit);
  const more = found.length > query.limit;
  return {
    data: page.map(shown),
    next_cursor: more ? writeAuditCursor(placeAfter(after, page)) : null,
  };
}

/** Read page by page as the reader takes them, so that an export needs no more memory than a page. */
async function* lines<R extends AuditRecord, D>(
  filter: AuditFilter,
  read: ReadPage<R>,
  shown: (record: R) => D,
): AsyncGenerator<string> {
  for (let after = START; ;) {
    const page: R[] = await read(filter, { order: 'oldest', limit: EXPORT_PAGE, after });
    if (page.length > 0) yield page.map((record) => `${JSON.stringify(shown(record))}\n`).join('');
    if (page.length < EXPORT_PAGE) return;
    after = placeAfter(after, page);
  }
}

function filterOf({ action, actor, outcome, target, from, to }: ListAuditDto): AuditFilter {
  const start = from === undefined ? null : parseInstant(from);
  const end = to === undefined ? null : parseInstant(to);
  return {
    ...(action === undefined ? {} : { action }),
    ...(actor === undefined ? {} : { actor }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(target === undefined ? {} : { target }),
    ...(start === null ? {} : { from: start }),
    ...(end === null ? {} : { to: end }),
  };
}

/** Throws `RequestInvalid`. */
function placeOf(cursor: string): AuditPlace {
  const place = readAuditCursor(cursor);
  if (place === null) {
    throw new RequestInvalid([{ location: 'query.cursor', message: 'is no cursor of this list' }]);
  }
  return place;
}

export function auditRecordDto(record: AuditRecord): AuditRecordDto {
  const { before = null, after = null, ...rest } = record.detail ?? {};
  return {
    id: record.id,
    at: record.at.toISOString(),
    action: record.action,
    actor: record.actor,
    outcome: record.outcome,
    target: record.target,
    targets: record.targets,
    workspace_id: record.workspace,
    request_id: record.requestId,
    before: before as AuditRecordDto['before'],
    after: after as AuditRecordDto['after'],
    detail: Object.keys(rest).length === 0 ? null : rest,
    withheld: record.withheld,
    position: record.position,
    hash: record.hash?.toString('hex') ?? null,
  };
}

export function installationRecordDto(record: NamedRecord): InstallationRecordDto {
  return { ...auditRecordDto(record), tenant_id: record.slug, tenant_uuid: record.tenantId };
}

/** `always`: shown also where nothing is wrong with it. */
export async function verificationDto(
  reports: AsyncIterable<ChainReport>,
  always: boolean,
): Promise<AuditVerificationDto> {
  const told: AuditVerificationDto = { ok: true, chains_checked: 0, records: 0, unchained: 0, chains: [] };
  for await (const { home, tenantId, records, unchained, checkpoint, problems } of reports) {
    const ok = problems.length === 0;
    told.ok &&= ok;
    told.chains_checked++;
    told.records += records;
    told.unchained += unchained;
    if ((ok && !always) || told.chains.length >= MOST) continue;
    const first = problems.slice(0, MOST);
    told.chains.push({
      database: home,
      tenant_uuid: tenantId,
      ok,
      records,
      unchained,
      checkpoint,
      problems: first,
    });
  }
  return told;
}
