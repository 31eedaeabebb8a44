import type { Request } from 'express';

/** The part of Express 5's router that is read here. */
interface Layer {
  match(path: string): boolean;
  route?: { methods: Record<string, boolean | undefined> };
}

/**
 * The methods that routes under this request's path take, in the order of the alphabet; empty where no
 * route has the path. Walks the whole route table, so it is for the way to an error only.
 */
export function allowedMethods(request: Request): string[] {
  const { stack } = request.app.router as unknown as { stack: Layer[] };
  const methods = new Set<string>();
  for (const layer of stack) {
    if (layer.route === undefined || !matches(layer, request.path)) continue;
    for (const [method, taken] of Object.entries(layer.route.methods)) {
      if (taken && method !== '_all') methods.add(method.toUpperCase());
    }
  }
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods].sort();
}

/** A parameter that cannot be decoded throws, and then is no match. */
function matches(layer: Layer, path: string): boolean {
  try {
    return layer.match(path);
  } catch {
    return false;
  }
}
