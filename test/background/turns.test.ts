import { Turns } from '../../src/background/turns.js';
import type { Tenant } from '../../src/tenancy/principal.js';
import type { TenantId } from '../../src/tenancy/tenant.js';

const NOBODY: ReadonlySet<TenantId> = new Set();
const tenant = (id: string) => ({ id }) as unknown as Tenant;

describe('turns', () => {
  it('come in the order in which tenants came, each once', () => {
    const turns = new Turns(() => 0);
    for (const id of ['a', 'b', 'a', 'c']) turns.add(tenant(id));
    expect([turns.take(NOBODY)?.id, turns.take(NOBODY)?.id, turns.take(NOBODY)?.id]).toEqual(['a', 'b', 'c']);
    expect(turns.take(NOBODY)).toBeNull();
  });

  it('are nobody’s who is at work just now, nor before their time', () => {
    let now = 0;
    const turns = new Turns(() => now);
    turns.add(tenant('a'), 10);
    turns.add(tenant('b'), 20);
    expect(turns.take(NOBODY)).toBeNull();
    expect(turns.untilNext(NOBODY)).toBe(10);
    now = 20;
    const busy = new Set(['a' as TenantId]);
    expect(turns.take(busy)?.id).toBe('b');
    expect(turns.untilNext(busy)).toBeNull();
    expect(turns.take(NOBODY)?.id).toBe('a');
  });
});
