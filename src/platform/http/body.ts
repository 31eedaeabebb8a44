import express from 'express';
import type { Request, RequestHandler } from 'express';
import { jsonFault } from './json-check.js';
import { requestFacts } from './request-facts.js';
import { RequestInvalid, RequestMalformed, RequestUnsupportedMedia } from './request.errors.js';

const MB = 1_048_576;

/** What one request may weigh, after decompression. */
export const SMALL_BODY = MB;
export const LARGE_BODY = 32 * MB;

/** Routes that take many things at once; `/v1` in front of each is optional. */
const LARGE_ROUTES =
  /^(?:\/v1)?(?:\/memory\/batch|\/associate|\/workspaces\/[^/]+\/documents|\/admin\/tenants\/import)\/?$/i;

/**
 * Reads bodies as JSON, also where `Content-Type` is missing or is curl's default for `-d`.
 * Leaves multipart alone; refuses other kinds, what is no UTF-8, and JSON that no store could keep. That is said
 * only once it is known who calls: see `UnreadGuard`.
 */
export function readBody(): RequestHandler {
  const takesJson = (request: { headers: Request['headers'] }): boolean =>
    isJson(request.headers['content-type']);
  const small = express.raw({ type: takesJson, limit: SMALL_BODY });
  const large = express.raw({ type: takesJson, limit: LARGE_BODY });
  return (request, response, next) => {
    if (!hasBody(request)) {
      next();
      return;
    }
    const contentType = request.headers['content-type'];
    if (!isJson(contentType)) {
      if (contentType?.toLowerCase().startsWith('multipart/form-data') !== true) {
        requestFacts(response).unread = new RequestUnsupportedMedia(
          'This body is of a kind that is not read here.',
        );
      }
      next();
      return;
    }
    const read = LARGE_ROUTES.test(request.path) ? large : small;
    read(request, response, (error?: unknown) => {
      const facts = requestFacts(response);
      const bytes: unknown = request.body;
      request.body = undefined;
      if (error !== undefined) facts.unread = error as Error;
      else if (Buffer.isBuffer(bytes) && bytes.length > 0) {
        try {
          request.body = parseJson(bytes);
        } catch (refusal) {
          facts.unread = refusal as Error;
        }
      }
      next();
    });
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Throws `RequestMalformed` or `RequestInvalid`. */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw new RequestMalformed('The body is not UTF-8.');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // V8's message quotes the body, which may be a secret.
    throw new RequestMalformed('The body is not valid JSON.');
  }
  // Without an escape no text in it can be unstorable: the decoder has seen to the rest.
  const fault = jsonFault(value, text.includes('\\u'));
  if (fault !== null)
    throw new RequestInvalid([{ location: `body${fault.at}`.slice(0, 200), message: fault.message }]);
  return value;
}

function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** JSON, or what clients send with JSON in it without saying so. Another charset than UTF-8 is none. */
function isJson(contentType: string | undefined): boolean {
  if (contentType === undefined || contentType.trim() === '') return true;
  const [kind = '', ...parameters] = contentType.toLowerCase().split(';');
  const charset = parameters.find((parameter) => parameter.trim().startsWith('charset='));
  if (charset !== undefined && !/^\s*charset=\s*"?(?:utf-?8|us-ascii)"?\s*$/.test(charset)) return false;
  return /^(?:application\/(?:[a-z0-9.-]+\+)?json|application\/x-www-form-urlencoded)$/.test(kind.trim());
}
