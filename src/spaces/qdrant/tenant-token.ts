import { createHmac } from 'node:crypto';

/** Long enough to be reused, short enough that one that leaked is soon worth nothing. Seconds. */
export const TOKEN_LIFE = 3_600;

/**
 * A token with which Qdrant lets nobody beyond one collection: a JWT (HS256) signed with the server's API key.
 * The server must have `service.jwt_rbac` on. `now` in milliseconds since 1970.
 */
export function tenantToken(apiKey: string, collection: string, now: number): string {
  const part = (content: object): string => Buffer.from(JSON.stringify(content)).toString('base64url');
  const claims = {
    exp: Math.floor(now / 1000) + TOKEN_LIFE,
    access: [{ collection, access: 'rw' }],
  };
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', apiKey).update(signed).digest('base64url')}`;
}
