import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { WHOLE_TENANT, type LedgerScope } from '../../ledger/ledger.js';
import { AlsoAsks, ForScope } from '../../tenancy/access.decorator.js';
import { hashToken } from '../../tenancy/api-key.js';
import { tokenOf } from '../../tenancy/key.guard.js';
import { PrincipalCache } from '../../tenancy/principal-cache.js';
import type { Tenant, TenantPrincipal } from '../../tenancy/principal.js';
import { Forbidden } from '../../tenancy/tenancy-errors.js';
import { TenantContext } from '../../tenancy/tenant-context.js';
import { InWorkspace } from '../memory/in-workspace.decorator.js';
import { MemoryEdge } from '../memory/memory-edge.js';
import { eventDto } from './event-replies.js';
import { EventPages } from './event-pages.service.js';
import { EventStream, type EndReason } from './event-stream.js';
import { OpenStreams } from './open-streams.js';
import { RevisionWatch } from './revision-watch.service.js';
import { StreamDto } from './stream.dto.js';

const SAYS = `Server-Sent Events: \`ready\` first, then \`memory.created\`, \`memory.updated\`, \`memory.deleted\` and the same of
\`relation\`, each with the tenant's revision as its id; \`reset\` where the given id is of no revision that this ledger
has: read what you need anew; \`end\` with a \`code\` where the server ends it. A comment every 12 s keeps it alive. An item
that changed several times is told once, as it is now; one that is archived, or brought back, as updated. \`workspace_id=*\` (with \`manage\`) is every workspace.`;

/** What changes in a tenant's ledger, as it changes. At the root, and under `/v1`. */
@ApiTags('events')
@ApiBearerAuth()
@InWorkspace()
@Controller({ path: ['', 'v1'] })
export class StreamController {
  constructor(
    private readonly context: TenantContext,
    private readonly edge: MemoryEdge,
    private readonly pages: EventPages,
    private readonly watch: RevisionWatch,
    private readonly streams: OpenStreams,
    private readonly principals: PrincipalCache,
  ) {}

  @Get('stream')
  @ForScope('memory:read')
  @AlsoAsks('`manage` for every workspace at once')
  @ApiOperation({ summary: 'What changes, as it changes', description: SAYS })
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'Tells what came after that event' })
  @ApiResponse({ status: 200, content: { 'text/event-stream': { schema: { type: 'string' } } } })
  async stream(@Query() dto: StreamDto, @Req() request: Request, @Res() response: Response): Promise<void> {
    const { caller } = this.context;
    const scope = await this.scope(dto, request, response);
    const place = this.streams.take(caller.tenant.id);
    // Away before it began, or as it began: either way the place is free again.
    response.once('close', () => place.give());
    try {
      const given = request.headers['last-event-id'] ?? dto.last_event_id;
      await this.tell(caller, scope, {
        given: given?.toString(),
        follow: dto.follow,
        request,
        response,
        place,
      });
    } catch (error) {
      place.give();
      throw error;
    }
  }

  private async tell(
    caller: TenantPrincipal,
    scope: LedgerScope,
    { given, follow, request, response, place }: Opening,
  ): Promise<void> {
    let { tenant } = caller;
    const { newest } = await this.pages.after(tenant, scope, Number.MAX_SAFE_INTEGER);
    const last = given === undefined ? newest : /^\d{1,15}$/.test(given) ? Number(given) : Infinity;
    const reset =
      last > newest ? { reason: 'unknown_id', revision: newest, last_event_id: given ?? null } : null;
    const stream = new EventStream(
      response,
      (after) => this.pages.after(tenant, scope, after),
      (event) => eventDto(tenant, event),
      Math.min(last, newest),
    );
    stream.begin({ tenant_id: tenant.slug, workspace_id: scope }, reset);
    if (request.method === 'HEAD') {
      stream.end(null);
      return;
    }
    stream.onEnd(this.watch.watch(tenant.id, () => stream.stir()));
    place.fill(stream, async () => {
      const now = await this.now(caller, request);
      if (typeof now === 'string') return now;
      tenant = now;
      return null;
    });
    void stream.run(follow);
  }

  /** The tenant as it is by now, or why whoever reads may do so no more. */
  private async now(caller: TenantPrincipal, request: Request): Promise<Tenant | Exclude<EndReason, null>> {
    const token = tokenOf(request);
    const principal = await this.principals.principalOf(token, hashToken(token));
    if (principal === null || principal.tenant.state === 'deleted') return 'auth.invalid';
    if (principal.tenant.state === 'suspended') return 'tenant.suspended';
    const lost = [...caller.scopes].some((scope) => ASKED.has(scope) && !principal.scopes.has(scope));
    if (lost || principal.workspace !== caller.workspace) return 'auth.forbidden';
    return principal.tenant;
  }

  /** The one workspace that is named, or is the caller's; `*`: all of them. */
  private async scope(dto: StreamDto, request: Request, response: Response): Promise<LedgerScope> {
    const { workspace, scopes } = this.context.caller;
    if (dto.workspace_id !== WHOLE_TENANT || workspace !== null)
      return this.edge.workspace(request, response, dto);
    if (!scopes.has('manage'))
      throw new Forbidden('This token lacks the scope `manage`, of every workspace.');
    return WHOLE_TENANT;
  }
}

/** The scopes that a stream may have been opened by. */
const ASKED: ReadonlySet<string> = new Set(['memory:read', 'manage']);

interface Opening {
  given: string | undefined;
  follow: boolean;
  request: Request;
  response: Response;
  place: ReturnType<OpenStreams['take']>;
}
