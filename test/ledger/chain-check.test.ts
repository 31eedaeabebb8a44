import { createHmac, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import {
  AuditChain,
  CHAIN_START,
  checkpointSignature,
  type AuditFact,
  type ChainSigner,
} from '../../src/ledger/audit-chain.js';
import { ChainCheck, type FoundRow, type SignedEnd } from '../../src/ledger/chain-check.js';
import type { TenantId } from '../../src/tenancy/tenant.js';

const tenant = '11111111-1111-4111-8111-111111111111' as TenantId;
const signer: ChainSigner = {
  hash: (purpose, ...parts) =>
    createHmac('sha256', 'key')
      .update(JSON.stringify([purpose, ...parts]))
      .digest(),
};
const sealer = { seal: (plain: string) => Buffer.from(`sealed ${plain}`) };

/** What one of several may have written. */
const fact = fc.record<AuditFact>({
  action: fc.constantFrom('memory.create', 'key.revoke', 'tenant.update'),
  actor: fc.constantFrom('operator', 'key:1'),
  workspace: fc.constant(null),
  target: fc.option(fc.string(), { nil: null }),
  targets: fc.option(fc.array(fc.uuid(), { minLength: 2, maxLength: 4 }), { nil: null }),
  outcome: fc.constantFrom('done', 'refused'),
  requestId: fc.option(fc.uuid(), { nil: null }),
  detail: fc.option(fc.dictionary(fc.string(), fc.integer()), { nil: null }),
});
const facts = fc.array(fact, { minLength: 1, maxLength: 12 });

function written(all: AuditFact[]): { rows: FoundRow[]; end: SignedEnd } {
  const chain = new AuditChain(tenant, CHAIN_START, sealer, signer);
  for (const one of all) chain.append(one, new Date('2026-01-01T00:00:00.123Z'));
  return { rows: chain.rows.map((row, at) => ({ ...row, id: String(at + 1) })), end: chain.head() };
}

function problemsOf(rows: FoundRow[], end: SignedEnd, checkpoint: SignedEnd | null = null): string[] {
  const check = new ChainCheck(tenant, checkpoint, signer);
  for (const row of rows) check.next(row);
  check.finish(end, 'chain');
  return check.problems.map(({ problem, position }) => `${problem} at ${String(position)}`);
}

type Edit = (row: FoundRow) => FoundRow;
const EDITS: Record<string, Edit> = {
  action: (row) => ({ ...row, action: `${row.action}d` }),
  actor: (row) => ({ ...row, actor: 'nobody' }),
  target: (row) => ({ ...row, target: `${row.target ?? ''}.` }),
  targets: (row) => ({ ...row, targets: [...(row.targets ?? []), randomUUID()] }),
  outcome: (row) => ({ ...row, outcome: row.outcome === 'done' ? 'refused' : 'done' }),
  workspace: (row) => ({ ...row, workspace: randomUUID() }),
  'request id': (row) => ({ ...row, requestId: randomUUID() }),
  time: (row) => ({ ...row, at: '2026-01-01T00:00:00.123001Z' }),
  detail: (row) => ({ ...row, detail: Buffer.concat([row.detail ?? Buffer.alloc(0), Buffer.from([1])]) }),
  hash: (row) => ({ ...row, hash: Buffer.alloc(32, 1) }),
  'being in the chain': (row) => ({ ...row, position: null }),
};

describe('a chain of audit records', () => {
  it('holds as it was written, whatever the records say', () => {
    fc.assert(
      fc.property(facts, (all) => {
        const { rows, end } = written(all);
        expect(problemsOf(rows, end)).toEqual([]);
      }),
    );
  });

  it.each(Object.keys(EDITS))('is found broken where the %s of any record was changed', (what) => {
    fc.assert(
      fc.property(facts, fc.nat(), (all, which) => {
        const { rows, end } = written(all);
        const at = which % rows.length;
        const edited = rows.map((row, i) => (i === at ? (EDITS[what] ?? ((same) => same))(row) : row));
        expect(problemsOf(edited, end)).not.toEqual([]);
      }),
    );
  });

  it('is found broken where any records were deleted: the first, the last, or all', () => {
    fc.assert(
      fc.property(facts, fc.nat(), fc.nat(), (all, from, count) => {
        const { rows, end } = written(all);
        const first = from % rows.length;
        const left = rows.toSpliced(first, 1 + (count % (rows.length - first)));
        expect(problemsOf(left, end)).toEqual([`missing at ${first + 1}`]);
      }),
    );
  });

  it('is found broken where any two records changed places, with or without their numbers', () => {
    fc.assert(
      fc.property(facts, fc.nat(), fc.nat(), fc.boolean(), (all, one, other, renumbered) => {
        const { rows, end } = written(all);
        const [a, b] = [one % rows.length, other % rows.length];
        fc.pre(a !== b);
        const swapped = rows.map((row, i) => (i === a ? rows[b] : i === b ? rows[a] : row) ?? row);
        const numbered = swapped.map((row, i) => (renumbered ? { ...row, position: i + 1 } : row));
        fc.pre(JSON.stringify(numbered) !== JSON.stringify(rows));
        expect(problemsOf(numbered, end)).not.toEqual([]);
      }),
    );
  });

  it('cannot be written anew, or cut short, without the key that signs its end', () => {
    const { rows, end } = written([1, 2, 3].map((n) => ({ ...PLAIN, target: String(n) })));
    const other = written([1, 4].map((n) => ({ ...PLAIN, target: String(n) })));
    expect(problemsOf(other.rows, { ...other.end, signature: end.signature })).toContain('forged at 2');
    const cut = rows.slice(0, 2);
    const shorter = { position: 2, hash: cut[1]?.hash ?? Buffer.alloc(0), signature: end.signature };
    expect(problemsOf(cut, shorter)).toEqual(['forged at 2']);
  });

  it('holds from a checkpoint on where what was before is gone, and not where that checkpoint is forged', () => {
    const { rows, end } = written([1, 2, 3, 4].map((n) => ({ ...PLAIN, target: String(n) })));
    const at = { position: 2, hash: rows[1]?.hash ?? Buffer.alloc(0) };
    const checkpoint = { ...at, signature: checkpointSignature(signer, tenant, 'retention', at) };
    expect(problemsOf(rows.slice(2), end, checkpoint)).toEqual([]);
    expect(problemsOf(rows.slice(3), end, checkpoint)).toEqual(['missing at 3']);
    const later = { position: 3, hash: rows[2]?.hash ?? Buffer.alloc(0), signature: checkpoint.signature };
    expect(problemsOf(rows.slice(3), end, later)).toEqual(['forged at 3']);
  });

  it('tells records from before there was a chain from those that were slipped in', () => {
    const { rows, end } = written([PLAIN, PLAIN]);
    const [first] = rows;
    const loose = { ...(first as FoundRow), position: null, hash: null };
    expect(problemsOf([loose, ...rows], end)).toEqual([]);
    expect(problemsOf([...rows, loose], end)).toEqual(['foreign at null']);
  });
});

const PLAIN: AuditFact = {
  action: 'memory.create',
  actor: 'key:1',
  workspace: null,
  target: null,
  targets: null,
  outcome: 'done',
  requestId: null,
  detail: null,
};
