import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA } from '@nestjs/common/constants.js';
import { ApiHeader, ApiQuery } from '@nestjs/swagger';

const WITH_BODY: ReadonlySet<unknown> = new Set([RequestMethod.POST, RequestMethod.PATCH, RequestMethod.PUT]);

/**
 * Of a controller whose routes work in the one workspace that `MemoryEdge.workspace` finds: describes where it may be named
 * beside the fields of the request.
 */
export function InWorkspace(): ClassDecorator {
  return (controller) => {
    const description = 'A workspace’s UUID or slug. Named more than once, it must be the same one';
    const prototype = controller.prototype as object;
    ApiHeader({ name: 'X-Workspace-ID', required: false, description })(controller);
    for (const [name, route] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      const handler: unknown = route.value;
      if (typeof handler !== 'function' || !WITH_BODY.has(Reflect.getMetadata(METHOD_METADATA, handler)))
        continue;
      ApiQuery({ name: 'workspace_id', type: String, required: false, description })(prototype, name, route);
      const word = 'Another word for `workspace_id`';
      ApiQuery({ name: 'project', type: String, required: false, description: word })(prototype, name, route);
    }
  };
}
