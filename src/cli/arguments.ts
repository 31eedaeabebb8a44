import { text } from 'node:stream/consumers';
import { InvalidArgumentError } from 'commander';

/** A slug or a UUID: nothing that would name another route. */
export function tenantRef(value: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(value)) return value;
  throw new InvalidArgumentError('A tenant is named by its slug or its UUID.');
}

/** What a name would be in an address; the server says where that cannot be one. */
export function slugOf(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 48)
    .replace(/^-+|-+$/g, '');
}

export function temperature(value: string): number {
  const number = value.trim() === '' ? Number.NaN : Number(value);
  if (number >= 0 && number <= 2) return number;
  throw new InvalidArgumentError('A number from 0 to 2 is wanted.');
}

export function tenantRefs(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), tenantRef(value)];
}

/** Nothing that would name another route. */
export function workspaceRef(value: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(value)) return value;
  throw new InvalidArgumentError('A workspace is named by its slug or its UUID.');
}

export function keyId(value: string): string {
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) return value;
  throw new InvalidArgumentError('A key is named by its id, a UUID: `loci key list` shows it.');
}

export function wholeNumber(value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('A whole number is wanted.');
}

export function fraction(value: string): number {
  const number = value.trim() === '' ? Number.NaN : Number(value);
  if (number >= 0 && number <= 1) return number;
  throw new InvalidArgumentError('A number from 0 to 1 is wanted.');
}

/** `a,b` and repeated options alike. */
export function words(value: string, before: string[] | undefined): string[] {
  const found = value
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  return [...(before ?? []), ...found];
}

/** `-` stands for standard input: what is written on a command line is seen by everybody on the machine. */
export async function valueOrStdin(value: string): Promise<string> {
  return value === '-' ? (await text(process.stdin)).replace(/\r?\n$/, '') : value;
}
