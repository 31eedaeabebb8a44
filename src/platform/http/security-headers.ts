import helmet from 'helmet';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** An API's answers load nothing. */
const API_POLICY = { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] };

/** Swagger's pages load their own scripts, and style themselves inline. */
const DOCS_POLICY = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
};

/**
 * Helmet's headers, taken from it once: they are the same on every answer, and running its dozen functions
 * for each request costs more than the rest of the edge.
 */
export interface SecurityHeaders {
  api: readonly (readonly [string, string])[];
  docs: readonly (readonly [string, string])[];
}

export function securityHeaders(): SecurityHeaders {
  return { api: headersOf(API_POLICY), docs: headersOf(DOCS_POLICY) };
}

function headersOf(directives: Record<string, string[]>): [string, string][] {
  const headers = new Map<string, string>();
  const recorder = {
    setHeader: (name: string, value: string) => headers.set(name, value),
    removeHeader: (name: string) => headers.delete(name),
  };
  let failure: unknown;
  helmet({ contentSecurityPolicy: { useDefaults: false, directives } })(
    {} as IncomingMessage,
    recorder as unknown as ServerResponse,
    (error?: unknown) => (failure = error),
  );
  if (failure !== undefined) throw failure as Error;
  return [...headers];
}
