import { readCursor, writeCursor } from '../../platform/http/cursor.js';
import type { Reach } from '../../tenancy/request-tenant.js';
import type { WorkspaceChange, WorkspaceDraft } from './workspace.js';
import { workspaceDto } from './workspace-replies.js';
import type {
  ChangeWorkspaceDto,
  CreateWorkspaceDto,
  ListWorkspacesDto,
  WorkspaceListDto,
} from './workspaces.dto.js';
import type { WorkspacesService } from './workspaces.service.js';

/** One page of what the caller sees. Throws `RequestInvalid` for a cursor of another list. */
export async function listWorkspaces(
  workspaces: WorkspacesService,
  { tenant, scope }: Reach,
  query: ListWorkspacesDto,
): Promise<WorkspaceListDto> {
  const place = query.cursor === undefined ? null : readCursor(query.cursor);
  const after = place === null ? null : { createdAt: place.time, id: place.id };
  const { workspaces: page, next } = await workspaces.list(tenant, scope, query.limit, after);
  return {
    data: page.map((workspace) => workspaceDto(tenant, workspace)),
    next_cursor: next === null ? null : writeCursor({ time: next.createdAt, id: next.id }),
  };
}

export function draftOf({ name, slug, description, settings }: CreateWorkspaceDto): WorkspaceDraft {
  return { name, slug, description: description ?? null, settings: settings ?? {} };
}

export function changeOf(dto: ChangeWorkspaceDto): WorkspaceChange {
  const { name, slug, description, settings } = dto;
  return {
    ...(name === undefined ? {} : { name }),
    ...(slug === undefined ? {} : { slug }),
    ...(description === undefined ? {} : { description }),
    ...(settings === undefined ? {} : { settings }),
  };
}
