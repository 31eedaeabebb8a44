import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from 'jose';

/** What the provider says of somebody, under the scopes that a client may ask for. */
export type Accounts = Record<string, { email?: string; email_verified?: boolean; tenant_id?: string }>;

export interface SigningKey {
  kid: string;
  privateKey: CryptoKey;
}

const REDIRECT_URI = 'https://app.example/back';

/** A real OpenID provider on loopback, and its key, so that tests can also sign what no provider would. */
export class IdentityProvider {
  private constructor(
    private readonly child: ChildProcess,
    readonly issuer: string,
    readonly key: SigningKey,
    private readonly accounts: Accounts,
  ) {}

  /** `port`: 0 for any that is free. */
  static async start(accounts: Accounts, kid = 'first', port = 0): Promise<IdentityProvider> {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const keys = [{ ...(await exportJWK(privateKey)), kid, use: 'sig', alg: 'ES256' }];
    const settings = JSON.stringify({ port, keys, accounts, redirectUri: REDIRECT_URI });
    const child = spawn(process.execPath, [join(__dirname, 'serve-identities.mjs'), settings], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const [issuer] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    return new IdentityProvider(child, issuer, { kid, privateKey }, accounts);
  }

  get host(): string {
    return new URL(this.issuer).host;
  }

  async stop(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.stdin?.end();
    await ended;
  }

  /** The same provider, on the same port, with another key. */
  async changeKey(kid: string): Promise<IdentityProvider> {
    await this.stop();
    return IdentityProvider.start(this.accounts, kid, Number(new URL(this.issuer).port));
  }

  /** Logs a person in as a browser would, by the authorization code flow; their ID token, whose audience is `web`. */
  async idTokenOf(person: string): Promise<string> {
    const browser = new Browser(this.issuer);
    const query = new URLSearchParams({
      client_id: 'web',
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      scope: 'openid email tenant',
    });
    await browser.follow(`/auth?${query}`);
    await browser.submit({ prompt: 'login', login: person, password: 'any' });
    const back = await browser.submit({ prompt: 'consent' });
    const code = new URL(back).searchParams.get('code') ?? '';
    const grant = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI };
    return (await this.token({ ...grant, client_id: 'web', client_secret: 'web-secret' }, 'id_token')) ?? '';
  }

  /** A program's access token, for Loci's audience at this provider: `https://loci.example/acme`. */
  async programsToken(scope: string): Promise<string> {
    const client = { client_id: 'nightly-import', client_secret: 'import-secret' };
    const resource = 'https://loci.example/acme';
    return this.token({ grant_type: 'client_credentials', ...client, scope, resource }, 'access_token');
  }

  /** A token as this provider might have signed it. */
  sign(claims: JWTPayload, key: SigningKey = this.key): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ iss: this.issuer, aud: 'web', iat: now, exp: now + 600, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: key.kid })
      .sign(key.privateKey);
  }

  private async token(form: Record<string, string>, which: 'id_token' | 'access_token'): Promise<string> {
    const response = await fetch(`${this.issuer}/token`, { method: 'POST', body: new URLSearchParams(form) });
    const body = (await response.json()) as Record<string, unknown>;
    const token = body[which];
    if (typeof token !== 'string') throw new Error(`No token: ${JSON.stringify(body)}`);
    return token;
  }
}

/** Cookies and redirects, and no more of a browser than that. */
class Browser {
  private readonly cookies = new Map<string, string>();
  private page = '';

  constructor(private readonly site: string) {}

  /** Stops at a page, or where the way leads off the site; returns the address. */
  async follow(path: string, form?: Record<string, string>): Promise<string> {
    let url = new URL(path, this.site);
    let response = await this.ask(url, form);
    for (let location = response.headers.get('location'); location !== null;) {
      url = new URL(location, url);
      if (url.origin !== this.site) return url.href;
      response = await this.ask(url);
      location = response.headers.get('location');
    }
    this.page = url.pathname;
    return url.href;
  }

  submit(form: Record<string, string>): Promise<string> {
    return this.follow(this.page, form);
  }

  private async ask(url: URL, form?: Record<string, string>): Promise<Response> {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) this.cookies.set(name, value);
    }
    await response.arrayBuffer();
    return response;
  }
}
