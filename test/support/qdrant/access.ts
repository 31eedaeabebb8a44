import { createHmac, timingSafeEqual } from 'node:crypto';
import { Refusal } from './collection.js';

/** What a request may do: everything, or read (and write) the named collections. */
export type Access = 'everything' | Map<string, 'r' | 'rw'>;

/** Qdrant forgives clocks that differ by so much. Seconds. */
const LEEWAY = 30;

/**
 * Who asks: the API key in `api-key` or as a bearer token, or a JWT (HS256, signed with the key; `service.jwt_rbac`).
 * Nothing: 401. A wrong or expired signature: 403. Anything else that is no token: 401.
 */
export function accessOf(apiKey: string | null, header: (name: string) => string | undefined): Access {
  if (apiKey === null) return 'everything';
  const given = header('api-key') ?? header('authorization')?.replace(/^Bearer /, '');
  if (given === undefined) throw new Refusal(401, 'Must provide an API key or an Authorization bearer token');
  if (given === apiKey) return 'everything';
  const [head, body, signature, ...more] = given.split('.');
  if (head === undefined || body === undefined || signature === undefined || more.length > 0) {
    throw new Refusal(401, 'Invalid API key or JWT');
  }
  const expected = createHmac('sha256', apiKey).update(`${head}.${body}`).digest();
  const got = Buffer.from(signature, 'base64url');
  if (got.length !== expected.length || !timingSafeEqual(got, expected))
    throw new Refusal(403, 'InvalidSignature');
  const read = (part: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  if (read(head)['alg'] !== 'HS256') throw new Refusal(401, 'Invalid API key or JWT');
  const { exp, access } = read(body);
  if (typeof exp === 'number' && exp + LEEWAY < Date.now() / 1000) throw new Refusal(403, 'ExpiredSignature');
  if (!Array.isArray(access)) throw new Refusal(401, 'the stand-in knows tokens for collections alone');
  return new Map(
    (access as { collection: string; access: 'r' | 'rw' }[]).map((one) => [one.collection, one.access]),
  );
}

/** `manage`: making, deleting and changing collections, for which a collection's token is not enough. */
export function checkAccess(
  access: Access,
  collection: string | null,
  need: 'read' | 'write' | 'manage',
): void {
  if (access === 'everything') return;
  if (collection === null || need === 'manage')
    throw new Refusal(403, 'Forbidden: Global access is required');
  const granted = access.get(collection);
  if (granted === undefined)
    throw new Refusal(403, `Forbidden: Access to collection ${collection} is required`);
  if (need === 'write' && granted === 'r') {
    throw new Refusal(403, `Forbidden: Only read access to collection ${collection} is granted`);
  }
}
