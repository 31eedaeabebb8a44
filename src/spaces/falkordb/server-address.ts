/** Who connects. `key` tells logins apart; a user without a password is the server's default one. */
export interface Login {
  key: string;
  username: string | null;
  password: string | null;
}

/** Where the server is, and who the operator is there. */
export interface ServerAddress {
  host: string;
  port: number;
  tls: boolean;
  operator: Login;
}

const SCHEMES = ['falkor:', 'falkors:', 'redis:', 'rediss:'];
const DEFAULT_PORT = 6379;

/** `falkor[s]://[user[:password]@]host[:port]`. Throws where it is anything else; the message holds no secret. */
export function parseServerAddress(text: string): ServerAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !SCHEMES.includes(url.protocol) || url.hostname === '') {
    throw new Error('FalkorDB is addressed as falkor://[user:password@]host[:port]');
  }
  if (!['', '/', '/0'].includes(url.pathname)) throw new Error('FalkorDB is used in database 0 only');
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    tls: url.protocol === 'falkors:' || url.protocol === 'rediss:',
    operator: { key: 'operator', username: given(url.username), password: given(url.password) },
  };
}

function given(part: string): string | null {
  return part === '' ? null : decodeURIComponent(part);
}
