import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP } from 'node:net';
import type { Readable } from 'node:stream';
import type { OnApplicationShutdown } from '@nestjs/common';
import { Agent, request } from 'undici';
import { isPublicAddress } from './public-address.js';

/** An address that a tenant named, and that is not fetched, or did not answer as it should. */
export class FetchRefused extends Error {}

export interface FetchLimits {
  /** For everything: names, redirects, the whole body. */
  ms: number;
  bytes: number;
}

/** What a client wants sent. */
export interface SentRequest {
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body: string | null;
  signal: AbortSignal | null;
  /** Of the answer, at the most. */
  bytes: number;
}

const MOST_REDIRECTS = 3;

type Lookup = typeof systemLookup;

/**
 * Fetches what a tenant named, from the public internet alone: https, and no private, loopback, link-local or metadata
 * address, whether it is written in the URL, what a name resolves to, or where a redirect leads. A name is judged by the
 * very addresses that are then connected to, so that one that resolves otherwise the second time gains nothing.
 */
export class GuardedFetch implements OnApplicationShutdown {
  private readonly guarded: Agent;
  private readonly plain = new Agent({ connections: 4 });

  /** `privateHosts`: `host` or `host:port`, which an operator vouches for; http and any address will do there. */
  constructor(
    private readonly privateHosts: readonly string[],
    lookup: Lookup = systemLookup,
  ) {
    this.guarded = new Agent({ connections: 4, connect: { lookup: publicLookup(lookup) } });
  }

  /** Why this URL would not be fetched, as far as can be told without asking anybody; null where it would be tried. */
  complaint(url: URL): string | null {
    if (url.username !== '' || url.password !== '') return 'must hold no user name';
    if (this.isVouchedFor(url)) return null;
    if (url.protocol !== 'https:') return 'must begin with https://';
    const host = hostOf(url);
    const literal = isIP(host) !== 0;
    if (
      literal
        ? !isPublicAddress(host)
        : !host.includes('.') || /(^|\.)(localhost|local|internal)\.?$/.test(host)
    ) {
      return 'must name a host of the public internet';
    }
    return null;
  }

  /** The body of a 200 answer. Throws `FetchRefused`. */
  async get(address: string, limits: FetchLimits): Promise<Buffer> {
    const signal = AbortSignal.timeout(limits.ms);
    let url = address;
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const answer = await this.ask(url, limits, signal);
      if (Buffer.isBuffer(answer)) return answer;
      url = answer.location;
    }
    throw new FetchRefused(`${address} redirects more than ${MOST_REDIRECTS} times`);
  }

  /**
   * Posts a body, and gives the status of the answer, whatever it is; what it says is not read, and a redirect is followed
   * nowhere. Throws `FetchRefused`.
   */
  async post(
    address: string,
    body: string,
    headers: Record<string, string>,
    limits: { ms: number },
  ): Promise<number> {
    const url = this.checked(address);
    try {
      const answer = await request(url, {
        method: 'POST',
        dispatcher: this.isVouchedFor(url) ? this.plain : this.guarded,
        headers,
        body,
        signal: AbortSignal.timeout(limits.ms),
      });
      answer.body.on('error', () => undefined).destroy();
      return answer.statusCode;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new FetchRefused(`${url.host} cannot be reached: ${reason}`);
    }
  }

  /**
   * For clients that bring a protocol of their own: sends what they say, and gives the whole answer, whatever its status; a
   * redirect is followed nowhere. Throws `FetchRefused` for an address that is not asked and an answer that is too long, and
   * otherwise what the connection ended with.
   */
  async send(address: string, { bytes, ...asked }: SentRequest): Promise<Response> {
    const url = this.checked(address);
    const dispatcher = this.isVouchedFor(url) ? this.plain : this.guarded;
    const { statusCode, headers, body } = await request(url, { dispatcher, ...asked });
    const answer = await wholeOf(body, bytes, url.host);
    const pairs = Object.entries(headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((one): [string, string] => [name, one]),
    );
    const init = { status: statusCode, headers: pairs };
    return new Response(answer.length === 0 ? null : new Uint8Array(answer), init);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.guarded.destroy(), this.plain.destroy()]);
  }

  private async ask(
    address: string,
    limits: FetchLimits,
    signal: AbortSignal,
  ): Promise<Buffer | { location: string }> {
    const url = this.checked(address);
    try {
      const { statusCode, headers, body } = await request(url, {
        dispatcher: this.isVouchedFor(url) ? this.plain : this.guarded,
        headers: { accept: 'application/json' },
        signal,
      });
      if (statusCode >= 300 && statusCode < 400 && typeof headers['location'] === 'string') {
        await body.dump();
        return { location: new URL(headers['location'], url).href };
      }
      const whole = await wholeOf(body, limits.bytes, address);
      if (statusCode !== 200) throw new FetchRefused(`${address} answers ${statusCode}`);
      return whole;
    } catch (error) {
      if (error instanceof FetchRefused) throw error;
      throw new FetchRefused(
        `${address} cannot be fetched: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  private checked(address: string): URL {
    if (!URL.canParse(address)) throw new FetchRefused(`${address} is no URL`);
    const url = new URL(address);
    const complaint = this.complaint(url);
    if (complaint !== null) throw new FetchRefused(`${address} ${complaint}`);
    return url;
  }

  private isVouchedFor(url: URL): boolean {
    const secure = url.protocol === 'https:';
    if (!secure && url.protocol !== 'http:') return false;
    const port = url.port === '' ? (secure ? '443' : '80') : url.port;
    const host = hostOf(url);
    return this.privateHosts.includes(host) || this.privateHosts.includes(`${host}:${port}`);
  }
}

/** Throws `FetchRefused` beyond so many bytes. */
async function wholeOf(body: Readable, bytes: number, who: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += (chunk as Buffer).length;
    if (size > bytes) {
      body.destroy();
      throw new FetchRefused(`${who} answers with more than ${bytes} bytes`);
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

/** Without the brackets of an IPv6 address. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
}

/** As the system's, but a name one of whose addresses is not public has none. */
function publicLookup(lookup: Lookup) {
  return (
    host: string,
    options: LookupOptions,
    callback: (error: Error | null, address: string | LookupAddress[], family?: number) => void,
  ): void => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const [first] = addresses;
      if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address))) {
        return callback(new FetchRefused(`${host} is no host of the public internet`), []);
      }
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
