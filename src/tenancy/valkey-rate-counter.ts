import { createClient } from '@redis/client';
import { RateCounter, type Drawn } from './rate-counter.js';

export interface ValkeyAddress {
  host: string;
  port: number;
  tls: boolean;
  username: string | null;
  password: string | null;
}

/** A draw takes a fraction of a millisecond; who waits so long counts alone. */
const ANSWERS_WITHIN_MS = 500;
/** After that nobody asks for a while: one silent server must not slow every request down. */
const SILENCE_MS = 2_000;
const CONNECTS_WITHIN_MS = 1_000;
const KEYS = 'loci:rate:';

/** Atomic, as nothing else runs meanwhile. Windows end by themselves. */
const DRAW = `
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
local granted = math.max(0, math.min(tonumber(ARGV[1]), tonumber(ARGV[2]) - used))
if granted > 0 then used = redis.call('INCRBY', KEYS[1], granted) end
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  left = tonumber(ARGV[3])
  redis.call('PEXPIRE', KEYS[1], left)
end
return {granted, used, left}`;

/** Counts in a server that speaks Redis's protocol, on one connection. It connects again by itself. */
export class ValkeyRateCounter extends RateCounter {
  private silentUntil = 0;

  private constructor(
    private readonly client: ReturnType<typeof clientOf>,
    private readonly answersWithinMs: number,
  ) {
    super();
  }

  /** Resolves also where the server is away: it may come. */
  static async open(address: ValkeyAddress, answersWithinMs = ANSWERS_WITHIN_MS): Promise<ValkeyRateCounter> {
    const client = clientOf(address);
    // Heard by whoever draws; without a listener it would end the process.
    client.on('error', () => undefined);
    const connected = client.connect().then(
      () => undefined,
      () => undefined,
    );
    await within(CONNECTS_WITHIN_MS, connected).catch(() => undefined);
    return new ValkeyRateCounter(client, answersWithinMs);
  }

  async draw(window: string, wanted: number, limit: number, windowMs: number): Promise<Drawn> {
    if (!this.client.isReady) throw new Error('the server of rate limits is away');
    if (performance.now() < this.silentUntil) throw new Error('the server of rate limits was silent');
    const numbers = [wanted, Math.floor(limit), windowMs].map(String);
    const reply = this.client.sendCommand(['EVAL', DRAW, '1', KEYS + window, ...numbers]);
    const drawn = await within(this.answersWithinMs, reply).catch((error: unknown) => {
      if (error instanceof Silent) this.silentUntil = performance.now() + SILENCE_MS;
      throw error;
    });
    const [granted, total, msLeft] = drawn as unknown as [number, number, number];
    return { granted, total, msLeft };
  }

  close(): Promise<void> {
    if (this.client.isOpen) this.client.destroy();
    return Promise.resolve();
  }
}

class Silent extends Error {}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const give = () => reject(new Silent(`the server of rate limits gave no answer within ${ms} ms`));
    // Where this process itself was busy for so long, the answer may have come and only waits to be read.
    timer = setTimeout(() => setImmediate(give), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // What comes too late has been answered for.
    work.catch(() => undefined);
  }
}

function clientOf({ host, port, tls, username, password }: ValkeyAddress) {
  const socket = {
    host,
    port,
    connectTimeout: 2_000,
    reconnectStrategy: (retries: number) => Math.min(1_000, 50 * 2 ** retries),
  };
  return createClient({
    socket: tls ? { ...socket, tls: true as const } : socket,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
  });
}
