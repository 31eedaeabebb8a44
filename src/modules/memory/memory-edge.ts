import { Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Models } from '../../models/models.js';
import { canonicalJson } from '../../platform/canonical-json.js';
import type { FieldError } from '../../platform/errors/domain-error.js';
import { parseInstant } from '../../platform/http/instant.js';
import { requestFacts } from '../../platform/http/request-facts.js';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import { readDto } from '../../platform/http/validation.js';
import { scrubJson, type Masked } from '../../platform/scrub/scrub.js';
import { scrubKinds } from '../../tenancy/scrub-settings.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import type { WorkspaceId } from '../../tenancy/tenant.js';
import { WorkspaceResolver } from '../../tenancy/workspace-resolver.js';
import { WorkspaceField, type EditMemoryDto, type MemoryFields, type StoreMemoryDto } from './memory.dto.js';
import { classify, namedType } from './memory-types.js';
import type { MemoryDraft, MemoryEdit } from './memory.js';
import type { RelationAttributes } from './relation-types.js';

const DEFAULT_IMPORTANCE = 0.5;
const DEFAULT_CONFIDENCE = 0.9;

// Fractions are kept as PostgreSQL's `real`, which refuses what is too small for it instead of taking it for zero: so
// they are rounded to 32 bits here.

/** What the memory routes have in common: from a request to domain values. */
@Injectable()
export class MemoryEdge {
  constructor(
    private readonly context: TenantContext,
    private readonly workspaces: WorkspaceResolver,
    private readonly models: Models,
  ) {}

  /** The workspace that body, query or header name. Throws `RequestInvalid` for what else stands in the query beside a body. */
  async workspace(request: Request, response: Response, named: WorkspaceField): Promise<WorkspaceId> {
    const header = request.headers['x-workspace-id'];
    const beside = besideBody(request);
    const workspace = await this.workspaces.resolve(this.context.caller, [
      named.workspace_id,
      named.project,
      beside.workspace_id,
      beside.project,
      typeof header === 'string' ? header : undefined,
    ]);
    requestFacts(response).workspace = workspace;
    return workspace;
  }

  /**
   * The one workspace of a batch: named beside its items, or by every item alike. Throws `RequestInvalid` for an item
   * that names another, because nothing may lie where its owner did not put it.
   */
  async workspaceOfBatch(
    request: Request,
    response: Response,
    named: WorkspaceField,
    items: Record<string, unknown>[],
  ): Promise<WorkspaceId> {
    const names = items.map((item) => [item['workspace_id'], item['project']].filter(isText));
    const [first = []] = names;
    const nothingBeside =
      named.workspace_id === undefined &&
      named.project === undefined &&
      request.headers['x-workspace-id'] === undefined;
    const alike = nothingBeside && names.every((own) => own.length > 0 && own[0] === first[0]);
    const [shared] = alike ? first : [];
    const workspace = await this.workspace(
      request,
      response,
      shared === undefined ? named : { workspace_id: shared },
    );
    for (const name of new Set(names.flat())) {
      if (name === shared) continue;
      if ((await this.workspaces.resolve(this.context.caller, [name])) === workspace) continue;
      const index = names.findIndex((own) => own.includes(name));
      throw new RequestInvalid([
        {
          location: `body.memories[${index}].workspace_id`,
          message: 'must be that of the whole batch: name it beside `memories`',
        },
      ]);
    }
    return workspace;
  }

  /**
   * Throws `RequestInvalid` where the embedding is not of the model's length, or the validity ends before it begins.
   * What the tenant lets nobody store is masked here, before anything is made of it, and named in `masked`.
   */
  draft(given: StoreMemoryDto, at = 'body', masked: Masked[] = []): MemoryDraft {
    const errors = this.faults(given, at);
    if (errors.length > 0) throw new RequestInvalid(errors);
    const dto = this.scrubbed(given, masked);
    return {
      id: dto.id?.toLowerCase() ?? null,
      content: dto.content,
      type: dto.type === undefined ? classify(dto.content) : namedType(dto.type),
      typeGiven: dto.type !== undefined,
      tags: unique(dto.tags ?? []),
      importance: Math.fround(dto.importance ?? DEFAULT_IMPORTANCE),
      confidence: Math.fround(dto.confidence ?? DEFAULT_CONFIDENCE),
      metadata: dto.metadata ?? {},
      timestamp: instant(dto.timestamp) ?? new Date(),
      validFrom: instant(dto.t_valid),
      validUntil: instant(dto.t_invalid),
      session: dto.session_id ?? null,
      user: dto.user_id ?? null,
      agent: dto.agent_id ?? null,
      source: dto.source ?? null,
      embedding: dto.embedding === undefined ? null : unitVector(dto.embedding),
      fingerprint: dto.id === undefined ? UNNAMED : this.fingerprint(dto),
    };
  }

  private fingerprint(dto: StoreMemoryDto): Buffer {
    return this.context.tenant.key.hash('memory request', canonicalJson(bodyOf(dto)));
  }

  /** Throws `RequestInvalid` likewise, and where nothing is to change. Masks likewise. */
  edit(given: EditMemoryDto, masked: Masked[] = []): MemoryEdit {
    const errors = this.faults(given, 'body');
    if (errors.length > 0) throw new RequestInvalid(errors);
    const dto = this.scrubbed(given, masked);
    const edit: MemoryEdit = {
      ...(dto.content === undefined ? {} : { content: dto.content }),
      ...(dto.type === undefined ? {} : { type: namedType(dto.type) }),
      ...(dto.tags === undefined ? {} : { tags: unique(dto.tags) }),
      ...(dto.importance === undefined ? {} : { importance: Math.fround(dto.importance) }),
      ...(dto.confidence === undefined ? {} : { confidence: Math.fround(dto.confidence) }),
      ...(dto.metadata === undefined ? {} : { metadata: dto.metadata }),
      ...(dto.timestamp === undefined ? {} : { timestamp: instant(dto.timestamp) ?? new Date() }),
      ...(dto.t_valid === undefined ? {} : { validFrom: instant(dto.t_valid) }),
      ...(dto.t_invalid === undefined ? {} : { validUntil: instant(dto.t_invalid) }),
      ...(dto.session_id === undefined ? {} : { session: dto.session_id }),
      ...(dto.user_id === undefined ? {} : { user: dto.user_id }),
      ...(dto.agent_id === undefined ? {} : { agent: dto.agent_id }),
      ...(dto.source === undefined ? {} : { source: dto.source }),
      ...(dto.embedding === undefined ? {} : { embedding: unitVector(dto.embedding) }),
    };
    if (Object.keys(edit).length === 0) {
      throw new RequestInvalid([{ location: 'body', message: 'names nothing that is to change' }]);
    }
    return edit;
  }

  /** Texts of a relation, masked likewise. `at` is where they stand in the request, such as `associations[3].`. */
  attributes({ timestamp, ...given }: RelationAttributes, at: string, masked: Masked[]): RelationAttributes {
    const found: Masked[] = [];
    const clean = scrubJson(given, scrubKinds(this.context.tenant.settings), '', found) as RelationAttributes;
    for (const { field, ...what } of found) masked.push({ ...what, field: `${at}${field}` });
    return { ...clean, ...(timestamp === undefined ? {} : { timestamp }) };
  }

  /** Without what its tenant lets nobody store. A vector of a text that held some of it is not taken either. */
  private scrubbed<Dto extends EditMemoryDto>(dto: Dto, masked: Masked[]): Dto {
    const kinds = scrubKinds(this.context.tenant.settings);
    if (kinds.length === 0) return dto;
    const { content, tags, metadata, source } = dto;
    const said = withoutAbsent({ content, tags, metadata, source });
    const clean = scrubJson(said, kinds, '', masked) as Partial<Dto>;
    const { embedding, ...rest } = { ...dto, ...clean };
    const known = embedding !== undefined && clean.content === content;
    return { ...rest, ...(known ? { embedding } : {}) } as Dto;
  }

  /** What no single field can tell. */
  private faults(dto: MemoryFields, at: string): FieldError[] {
    const errors: FieldError[] = [];
    const { dimensions } = this.models.current.model;
    if (dto.embedding !== undefined && dto.embedding.length !== dimensions) {
      errors.push({ location: `${at}.embedding`, message: `must have ${dimensions} numbers` });
    }
    const [from, until] = [instant(dto.t_valid), instant(dto.t_invalid)];
    if (from !== null && until !== null && until <= from) {
      errors.push({ location: `${at}.t_invalid`, message: 'must be after t_valid' });
    }
    return errors;
  }
}

/** Whoever sends the id that was found for a memory has never sent it with that memory: no request is the same. */
const UNNAMED = Buffer.alloc(0);

function withoutAbsent(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PATCH', 'PUT']);

/** What the query of a request with a body says; of one without, the query is what `named` was read from. */
function besideBody({ method, url, query }: Request): WorkspaceField {
  return WITH_BODY.has(method) && url.includes('?') ? readDto(WorkspaceField, query, 'query') : {};
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function instant(text: string | null | undefined): Date | null {
  return text === undefined || text === null ? null : parseInstant(text);
}

function unique(tags: string[]): string[] {
  return [...new Set(tags.map((tag) => tag.trim()))];
}

/** Of the same direction, with the length of one. */
export function unitVector(numbers: number[]): Float32Array {
  // Math.hypot is slow with hundreds of arguments, and needed only where squares leave the range of numbers.
  let sum = 0;
  for (const number of numbers) sum += number * number;
  const length = sum > 1e-200 && sum < Infinity ? Math.sqrt(sum) : Math.hypot(...numbers);
  const vector = new Float32Array(numbers.length);
  for (let at = 0; at < vector.length; at++) vector[at] = (numbers[at] as number) / length;
  return vector;
}

/** What the caller sent that makes it this memory: the workspace is named beside it, not in it. */
function bodyOf({ embedding, ...dto }: StoreMemoryDto): object {
  const body: Partial<StoreMemoryDto> = dto;
  delete body.workspace_id;
  delete body.project;
  // Hundreds of numbers are written as text at twenty times the price of their bytes.
  return embedding === undefined
    ? body
    : { ...body, embedding: Buffer.from(doublesOf(embedding).buffer).toString('base64') };
}

/** Filled one by one: made from the array at once it takes ten times as long. */
function doublesOf(numbers: number[]): Float64Array {
  const doubles = new Float64Array(numbers.length);
  for (let at = 0; at < doubles.length; at++) doubles[at] = numbers[at] as number;
  return doubles;
}
