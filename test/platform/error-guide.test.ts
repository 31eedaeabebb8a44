import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCodes } from '../../src/platform/errors/error-codes.js';
import { errorGuide } from '../../src/platform/errors/error-guide.js';

describe('docs/errors.md', () => {
  it('is what the table of codes prints (node scripts/print-errors.mjs)', () => {
    expect(readFileSync(join(__dirname, '../../docs/errors.md'), 'utf8')).toBe(errorGuide());
  });
});

describe('the table of codes', () => {
  it.each(Object.entries(errorCodes))(
    'explains %s in whole sentences',
    (code, { status, title, explanation }) => {
      expect(code).toMatch(/^[a-z]+(?:[._][a-z]+)*$/);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(600);
      expect(title).toMatch(/^[A-Z].*[^.]$/);
      expect(explanation).toMatch(/^.{20,}\.$/s);
    },
  );
});
