import type { EntityManager } from 'typeorm';

/**
 * The name of the master key that wraps new tenants' keys, until this transaction ends: a rotation that begins meanwhile
 * waits for it, and so finds whatever this transaction makes.
 */
export async function wrappingKey(manager: EntityManager): Promise<Buffer> {
  const [row] = await manager.query<{ wrapped_by: Buffer }[]>(
    'SELECT wrapped_by FROM installation FOR SHARE',
  );
  if (row === undefined) throw new Error('There is no installation in this ledger');
  return row.wrapped_by;
}
