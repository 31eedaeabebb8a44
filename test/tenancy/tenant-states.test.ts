import { planMove, TENANT_MOVES, type TenantMove } from '../../src/modules/tenants/tenant-states.js';
import type { TenantState } from '../../src/tenancy/principal.js';
import { Loci } from '../support/loci.js';

type Outcome = { plan: 'go' | 'done' | 'refused'; to: TenantState | 'purged' };

const go = (to: Outcome['to']): Outcome => ({ plan: 'go', to });
const done = (to: Outcome['to']): Outcome => ({ plan: 'done', to });
const refused = (to: Outcome['to']): Outcome => ({ plan: 'refused', to });

/** Every state with every move. Written out once more, so that a change of the table is a change here too. */
const EVERY: Record<TenantState, Record<TenantMove, Outcome>> = {
  active: {
    suspend: go('suspended'),
    resume: done('active'),
    delete: go('deleted'),
    restore: refused('active'),
    purge: go('purged'),
  },
  suspended: {
    suspend: done('suspended'),
    resume: go('active'),
    delete: go('deleted'),
    restore: refused('suspended'),
    purge: go('purged'),
  },
  deleted: {
    suspend: refused('deleted'),
    resume: refused('deleted'),
    delete: done('deleted'),
    restore: go('active'),
    purge: go('purged'),
  },
};
const STATES = Object.keys(EVERY) as TenantState[];
const MOVES = Object.keys(TENANT_MOVES) as TenantMove[];
const PAIRS = STATES.flatMap((state) => MOVES.map((move) => [state, move] as const));

describe('a tenant’s life', () => {
  let loci: Loci;
  beforeAll(async () => {
    loci = await Loci.start();
  });
  afterAll(() => loci.stop());

  it('is as the table of moves says, for every pair', () => {
    expect(PAIRS).toHaveLength(15);
    for (const [state, move] of PAIRS)
      expect([state, move, planMove(state, move)]).toEqual([state, move, EVERY[state][move].plan]);
  });

  const send = (slug: string, move: TenantMove) => {
    const path = `/admin/tenants/${slug}`;
    if (move === 'delete') return loci.operator.delete(path);
    if (move === 'purge') return loci.operator.delete(`${path}?purge=true`);
    return loci.operator.post(`${path}/${move}`, {});
  };
  const INTO: Record<TenantState, TenantMove[]> = { active: [], suspended: ['suspend'], deleted: ['delete'] };
  const KEYS: Record<TenantState | 'purged', number> = {
    active: 200,
    suspended: 403,
    deleted: 401,
    purged: 401,
  };

  it.each(PAIRS)(
    'lets a tenant that is %s be asked to %s as the table says, and its keys know it',
    async (state, move) => {
      const tenant = await loci.tenant();
      for (const step of INTO[state]) await send(tenant.slug, step);
      const { plan, to } = EVERY[state][move];
      const answer = await send(tenant.slug, move);
      expect(answer.status).toBe(plan === 'refused' ? 409 : 200);
      if (plan === 'refused') {
        expect(answer.body).toMatchObject({
          code: 'tenant.invalid_transition',
          detail: expect.stringMatching(/^A tenant that is \w+ cannot be \w+ed\.$/),
        });
      }
      const shown = await loci.operator.get(`/admin/tenants/${tenant.slug}`);
      if (to === 'purged') expect(shown.status).toBe(404);
      else expect(shown.body).toMatchObject({ state: to, is_active: to === 'active' });
      expect((await tenant.get('/v1/tenants/current')).status).toBe(KEYS[to]);
    },
  );
});
