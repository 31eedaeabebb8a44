import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { isUuid } from '../../tenancy/tenant.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Why the server does not start: one line that names the variable and never its value. */
export class SettingsError extends Error {
  constructor(
    readonly variable: string,
    complaint: string,
  ) {
    super(`${variable} ${complaint}`);
    this.name = 'SettingsError';
  }
}

/** The lines of a `.env` file, where there is one, under the real environment, which wins. */
export function readEnvironment(dotEnvFile: string, processEnv: Environment = process.env): Environment {
  try {
    return { ...parseEnv(readFileSync(dotEnvFile, 'utf8')), ...processEnv };
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
    if (code === 'ENOENT') return { ...processEnv };
    throw new SettingsError('.env', `cannot be read (${code || 'unknown error'})`);
  }
}

/**
 * Reads one variable after the other, and remembers their names, so that the set of known settings is
 * exactly the set of those that are read. A blank variable counts as absent: compose files and CI pass
 * `NAME=` for what they leave unset.
 */
export class EnvironmentReader {
  readonly known = new Set<string>();

  constructor(private readonly env: Environment) {}

  text(name: string): string | null {
    this.known.add(name);
    const value = this.env[name]?.trim();
    return value === undefined || value === '' ? null : value;
  }

  /** One of these words, in any case. */
  word<const Word extends string>(name: string, words: readonly Word[], fallback: Word): Word {
    const value = this.text(name);
    if (value === null) return fallback;
    const word = words.find((candidate) => candidate === value.toLowerCase());
    if (word === undefined) throw new SettingsError(name, `must be one of ${words.join(', ')}`);
    return word;
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.text(name)?.toLowerCase();
    if (value === undefined) return fallback;
    if (['true', '1', 'yes', 'on'].includes(value)) return true;
    if (['false', '0', 'no', 'off'].includes(value)) return false;
    throw new SettingsError(name, 'must be true or false');
  }

  integer(name: string, range: { min: number; max: number }): number | null {
    const value = this.text(name);
    if (value === null) return null;
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= range.min && number <= range.max)) {
      throw new SettingsError(name, `must be a whole number from ${range.min} to ${range.max}`);
    }
    return number;
  }

  /** A URL of one of these schemes, as it was written. */
  url(name: string, schemes: readonly string[]): string | null {
    const value = this.text(name);
    if (value === null) return null;
    const parsed = URL.canParse(value) ? new URL(value) : null;
    if (parsed === null || parsed.hostname === '' || !schemes.includes(parsed.protocol.slice(0, -1))) {
      throw new SettingsError(
        name,
        `must be a URL that begins with ${schemes.map((s) => `${s}://`).join(' or ')}`,
      );
    }
    return value;
  }

  /** A secret that travels in a header: visible ASCII without spaces, at least this long. */
  token(name: string, minLength: number): string | null {
    const value = this.text(name);
    if (value === null) return null;
    if (!/^[\x21-\x7e]+$/.test(value)) {
      throw new SettingsError(name, 'must consist of visible ASCII characters without spaces');
    }
    if (value.length < minLength) {
      throw new SettingsError(name, `must be at least ${minLength} characters long`);
    }
    return value;
  }

  /** Exactly this many bytes, written as base64. */
  bytes(name: string, length: number): Buffer | null {
    const value = this.text(name);
    if (value === null) return null;
    const bytes = Buffer.from(value, 'base64');
    const canonical = bytes.toString('base64').replace(/=+$/, '');
    if (bytes.length !== length || canonical !== value.replace(/=+$/, '')) {
      throw new SettingsError(name, `must be ${length} bytes in base64 (openssl rand -base64 ${length})`);
    }
    return bytes;
  }

  /** `a, b` as a list without repetitions. */
  names(name: string): readonly string[] | null {
    const value = this.text(name);
    if (value === null) return null;
    const names = value.split(',').map((one) => one.trim());
    if (names.includes('')) throw new SettingsError(name, 'must be names separated by commas');
    return Object.freeze([...new Set(names)]);
  }

  uuid(name: string, fallback: string): string {
    const value = this.text(name);
    if (value === null) return fallback;
    if (!isUuid(value)) throw new SettingsError(name, 'must be a UUID');
    return value.toLowerCase();
  }

  /** `a=1,b=0.5` as a record of numbers that are finite and not negative. */
  weights(name: string): Readonly<Record<string, number>> {
    const value = this.text(name);
    if (value === null) return Object.freeze({});
    const weights = new Map<string, number>();
    for (const pair of value.split(',')) {
      const match = /^\s*([a-z][a-z0-9_]*)\s*=\s*(\d+(?:\.\d+)?|\.\d+)\s*$/.exec(pair);
      const key = match?.[1];
      if (key === undefined || weights.has(key)) {
        throw new SettingsError(name, 'must be pairs such as name=0.5, separated by commas, each name once');
      }
      weights.set(key, Number(match?.[2]));
    }
    return Object.freeze(Object.fromEntries(weights));
  }
}
