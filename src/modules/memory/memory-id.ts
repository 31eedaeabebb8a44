import { isUuid } from '../../tenancy/tenant.js';
import { MemoryNotFound } from './memory.errors.js';

/** What is no UUID names no memory. Throws `MemoryNotFound`. */
export function memoryId(text: string): string {
  if (!isUuid(text)) throw new MemoryNotFound();
  return text.toLowerCase();
}
