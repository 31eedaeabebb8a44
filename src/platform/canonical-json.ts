/** JSON in which equal values look equal: keys sorted, absent members left out. For hashing, not for people. */
export function canonicalJson(value: unknown): string {
  // Sorted first and written by the built-in way: with a replacer it would call back for each of a vector's numbers.
  return JSON.stringify(sorted(value));
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.every(isPlain) ? value : value.map(sorted);
  if (value instanceof Date) return value.toJSON();
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}

function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}
