import { contextOf, NO_CONTEXT } from '../../src/modules/memory/recall-context.js';

describe('what a caller says it is about', () => {
  const of = (hints: Partial<Parameters<typeof contextOf>[0]>) => {
    const { words, ...context } = contextOf({ tags: [], types: [], ...hints });
    return { ...context, terms: words.flatMap((word) => word.slice(0, 1)) };
  };

  it('is nothing where it says nothing', () => {
    const nothing = { tags: [], types: [], context: ' ', language: '', path: '' };
    expect(contextOf(nothing)).toEqual(NO_CONTEXT);
  });

  it('is a label, whole and by its words, as tags and as terms', () => {
    expect(of({ context: 'coding-style' })).toMatchObject({
      tags: ['coding-style'],
      terms: ['code', 'style'],
    });
    expect(of({ context: 'Kitchen plans' })).toMatchObject({
      tags: ['kitchen plans', 'kitchen', 'plans'],
      terms: ['kitchen', 'plan'],
    });
  });

  it('is a language under all its names', () => {
    expect(of({ language: 'TS' })).toMatchObject({ tags: ['typescript', 'ts'] });
    expect(of({ language: 'Python' })).toMatchObject({ tags: ['python', 'py'] });
    expect(of({ language: 'Quenya' })).toMatchObject({ tags: ['quenya'], terms: ['quenya'] });
  });

  it('is the language and the names of a path, and not what every path has', () => {
    expect(of({ path: 'src/billing/invoiceMailer.test.ts' })).toMatchObject({
      tags: ['typescript', 'ts', 'invoicemailer.test.ts', 'invoicemailer.test', 'billing'],
      terms: expect.arrayContaining(['invoic', 'mailer', 'bill']) as string[],
    });
    expect(of({ path: String.raw`C:\work\shop\src\index.py` }).tags).toEqual(
      expect.arrayContaining(['python', 'shop', 'work']),
    );
    expect(of({ path: 'src/index.ts' }).tags).not.toContain('src');
    expect(of({ path: '../.env' }).tags).toEqual(['.env']);
  });

  it('is its tags first, and types in lower case', () => {
    const context = of({ tags: ['a', 'b'], types: ['Style', 'preference'], context: 'tea' });
    expect(context).toEqual({ tags: ['a', 'b', 'tea'], types: ['style', 'preference'], terms: ['tea'] });
  });

  it('is bounded, whatever is said', () => {
    const words = Array.from({ length: 2_000 }, (_, at) => `word${at}`).join(' ');
    const { tags, terms } = of({ context: words, path: `/${words.replaceAll(' ', '/')}` });
    expect(tags.length).toBeLessThanOrEqual(16);
    expect(terms.length).toBeLessThanOrEqual(16);
    expect(tags.every((tag) => tag.length <= 128)).toBe(true);
  });
});
