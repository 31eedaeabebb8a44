import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { KeptAnswer } from '../../ledger/idempotency.js';
import type { FieldError } from '../../platform/errors/domain-error.js';
import { readCursor, writeCursor } from '../../platform/http/cursor.js';
import { RequestInvalid } from '../../platform/http/request.errors.js';
import { GuardedFetch } from '../../platform/outgoing/guarded-fetch.js';
import { ForScope } from '../../tenancy/access.decorator.js';
import { ShowsSecret } from '../../tenancy/idempotency.interceptor.js';
import { IdempotentPost } from '../../tenancy/idempotent-post.decorator.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { isUuid } from '../../tenancy/tenant.js';
import { Deliveries } from './deliveries.service.js';
import type { DeliveryRow } from './delivery-rows.js';
import type { TriggerAction, TriggerRule } from './trigger-rule.js';
import {
  ChangeTriggerDto,
  CreateTriggerDto,
  DeliveryDto,
  DeliveryListDto,
  ListDeliveriesDto,
  RedeliverDto,
  RedeliveredDto,
  RemovedTriggerDto,
  TriggerDto,
  TriggerListDto,
  WrittenTriggerDto,
} from './triggers.dto.js';
import { TriggerNotFound } from './triggers.errors.js';
import { Triggers, type Trigger, type WrittenTrigger } from './triggers.service.js';

const KINDS = ['webhook', 'tag', 'relate'] as const;
/** What nobody can tell of an event that has no memory to look at. */
const OF_MEMORIES = ['tags', 'min_importance', 'match'] as const;

/** A tenant's rules: when something happens to what it stores, do this. */
@ApiTags('triggers')
@ApiBearerAuth()
@ForScope('manage')
@Controller('v1/tenants/current/triggers')
export class TriggersController {
  constructor(
    private readonly context: TenantContext,
    private readonly triggers: Triggers,
    private readonly deliveries: Deliveries,
    private readonly fetch: GuardedFetch,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The triggers, oldest first' })
  @ApiResponse({ status: 200, type: TriggerListDto })
  async list(): Promise<TriggerListDto> {
    return { data: (await this.triggers.list(this.context.tenant)).map(triggerDto) };
  }

  @IdempotentPost()
  @ShowsSecret()
  @ApiOperation({ summary: 'Add a trigger; what has happened so far is not its matter' })
  @ApiResponse({ status: 201, type: WrittenTriggerDto })
  async create(@Body() dto: CreateTriggerDto): Promise<WrittenTriggerDto> {
    const { rule, secret } = this.ruleOf(dto);
    const { name = dto.name, when = dto.when, then = [] } = rule;
    const answer = (written: WrittenTrigger) => {
      const shown = writtenDto(written);
      delete shown.secret;
      return { status: 201, body: shown };
    };
    const { tenant } = this.context;
    const cause = this.context.cause(answer);
    return writtenDto(
      await this.triggers.create(tenant, { name, when, then }, dto.is_active ?? true, secret, cause),
    );
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Change a trigger: what is not named stays' })
  @ApiResponse({ status: 200, type: WrittenTriggerDto })
  async change(@Param('id') id: string, @Body() dto: ChangeTriggerDto): Promise<WrittenTriggerDto> {
    const { tenant } = this.context;
    const before = await this.triggers.get(tenant, triggerId(id));
    const { rule, secret } = this.ruleOf(dto, before.rule);
    const change = {
      ...rule,
      ...(dto.is_active === undefined ? {} : { isActive: dto.is_active }),
      ...(secret === undefined ? {} : { secret }),
    };
    if (Object.keys(change).length === 0)
      throw new RequestInvalid([{ location: 'body', message: 'names nothing that is to change' }]);
    return writtenDto(await this.triggers.change(tenant, before.id, change, this.context.cause(done)));
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Remove a trigger, with its secret and its log' })
  @ApiResponse({ status: 200, type: RemovedTriggerDto })
  async remove(@Param('id') id: string): Promise<RemovedTriggerDto> {
    await this.triggers.remove(this.context.tenant, triggerId(id), this.context.cause(done));
    return { id: triggerId(id), deleted: true };
  }

  @Get(':id/deliveries')
  @ApiOperation({ summary: 'What its webhook was told, newest first: the last thousand that are over' })
  @ApiResponse({ status: 200, type: DeliveryListDto })
  async log(@Param('id') id: string, @Query() query: ListDeliveriesDto): Promise<DeliveryListDto> {
    const after = query.cursor === undefined ? null : readCursor(query.cursor);
    const { limit, state = null } = query;
    const rows = await this.deliveries.list(this.context.tenant, triggerId(id), state, limit, after);
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    const next = rows.length > limit && last !== undefined;
    return {
      data: page.map(deliveryDto),
      next_cursor: next ? writeCursor({ time: last.created_at, id: last.id }) : null,
    };
  }

  @IdempotentPost(':id/redeliver')
  @HttpCode(202)
  @ApiOperation({ summary: 'Tell its webhook again, from the first attempt on' })
  @ApiResponse({ status: 202, type: RedeliveredDto })
  async redeliver(@Param('id') id: string, @Body() dto: RedeliverDto): Promise<RedeliveredDto> {
    const answer = (count: number) => ({ status: 202, body: { id: triggerId(id), count } });
    const ids = dto.delivery_ids ?? null;
    const cause = this.context.cause(answer);
    return answer(await this.deliveries.redeliver(this.context.tenant, triggerId(id), ids, cause)).body;
  }

  /** Throws `RequestInvalid` for what no single field can tell. `before`: what stays where nothing else is said. */
  private ruleOf(
    dto: ChangeTriggerDto,
    before?: TriggerRule,
  ): { rule: Partial<TriggerRule>; secret: string | undefined } {
    const errors: FieldError[] = [];
    const when = dto.when ?? before?.when;
    const actions = dto.then?.map((action, at) => {
      const location = `body.then[${at}]`;
      const named = KINDS.filter((kind) => action[kind] !== undefined);
      if (named.length !== 1) errors.push({ location, message: `must be one of ${KINDS.join(', ')}` });
      const url = action.webhook?.url;
      const complaint = url === undefined ? null : this.complaintOf(url);
      if (complaint !== null) errors.push({ location: `${location}.webhook.url`, message: complaint });
      return actionOf(action);
    });
    const kinds = dto.then?.flatMap((action) => KINDS.filter((kind) => action[kind] !== undefined)) ?? [];
    if (new Set(kinds).size < kinds.length)
      errors.push({ location: 'body.then', message: 'must have at most one of each kind' });
    const then = actions ?? before?.then ?? [];
    if (when?.event === 'memory.deleted' || when?.event === 'relation.created') {
      const blind: readonly string[] =
        when.event === 'memory.deleted' ? [...OF_MEMORIES, 'types'] : OF_MEMORIES;
      for (const [name, value] of Object.entries(when)) {
        if (value !== undefined && blind.includes(name))
          errors.push({ location: `body.when.${name}`, message: `cannot be told of ${when.event}` });
      }
      if (then.some((action) => !('webhook' in action)))
        errors.push({ location: 'body.then', message: `can only be a webhook for ${when.event}` });
    }
    if (errors.length > 0) throw new RequestInvalid(errors);
    const secret = dto.then?.find(({ webhook }) => webhook !== undefined)?.webhook?.secret;
    return {
      rule: {
        ...(dto.name === undefined ? {} : { name: dto.name }),
        ...(dto.when === undefined ? {} : { when: conditionOf(dto.when) }),
        ...(actions === undefined ? {} : { then: actions }),
      },
      secret,
    };
  }

  private complaintOf(address: string): string | null {
    return URL.canParse(address) ? this.fetch.complaint(new URL(address)) : 'must be a URL';
  }
}

/** Without what was left out, which is otherwise a member that is undefined. */
function conditionOf(when: TriggerRule['when']): TriggerRule['when'] {
  const { workspace_id: workspace, ...rest } = JSON.parse(JSON.stringify(when)) as TriggerRule['when'];
  return workspace === undefined ? rest : { ...rest, workspace_id: workspace.toLowerCase() };
}

function actionOf({ webhook, tag, relate }: CreateTriggerDto['then'][number]): TriggerAction {
  if (webhook !== undefined) return { webhook: { url: webhook.url } };
  if (relate !== undefined)
    return { relate: { to: relate.to.toLowerCase(), type: relate.type, strength: relate.strength } };
  return { tag: [...new Set((tag ?? []).map((word) => word.trim()))] };
}

/** Throws `TriggerNotFound` for what can be no id of one. */
function triggerId(text: string): string {
  if (!isUuid(text)) throw new TriggerNotFound();
  return text.toLowerCase();
}

function done(): KeptAnswer {
  return { status: 200, body: null };
}

function triggerDto({ id, rule, isActive, createdAt, updatedAt }: Trigger): TriggerDto {
  const { name, when, then } = rule;
  return {
    id,
    name,
    when,
    then,
    is_active: isActive,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}

function writtenDto({ trigger, secret }: WrittenTrigger): WrittenTriggerDto {
  return { ...triggerDto(trigger), ...(secret === null ? {} : { secret }) };
}

function deliveryDto(row: DeliveryRow): DeliveryDto {
  return {
    id: row.id,
    webhook_id: `msg_${row.id}`,
    event: row.event,
    workspace_id: row.workspace_id,
    item_id: row.item,
    revision: Number(row.revision),
    state: row.state,
    attempts: row.attempts,
    next_try_at: row.state === 'waiting' ? row.next_try_at.toISOString() : null,
    last_status: row.last_status,
    last_error: row.last_error,
    created_at: row.created_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
  };
}
