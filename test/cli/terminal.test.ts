import { PassThrough } from 'node:stream';
import { ProgressBar } from '../../src/cli/progress-bar.js';
import { facts, table } from '../../src/cli/table.js';
import { cut, oneLine, widthOf } from '../../src/cli/terminal-text.js';
import { typedWord } from '../../src/cli/typed-word.js';

interface Row {
  name: string;
  size: number | null;
  note: string;
}

const columns = [
  { title: 'NAME', of: ({ name }: Row) => name },
  { title: 'SIZE', of: ({ size }: Row) => size },
  { title: 'NOTE', of: ({ note }: Row) => note },
];

describe('a table', () => {
  it('aligns words left and numbers right, by the columns that they take', () => {
    const rows = [
      { name: '東京', size: 7, note: 'a' },
      { name: 'café', size: 1234, note: 'two  lines\nhere' },
      { name: 'e', size: null, note: '' },
    ];
    expect(table(rows, columns, null)).toBe(
      ['NAME  SIZE  NOTE', '東京     7  a', 'café  1234  two lines here', 'e        -', ''].join('\n'),
    );
  });

  it('cuts its last column to the terminal, and only that', () => {
    const rows = [{ name: 'a-long-name', size: 1, note: 'x'.repeat(100) }];
    const [title, row] = table(rows, columns, 50).split('\n');
    expect(title).toBe('NAME         SIZE  NOTE');
    expect(row).toBe(`a-long-name     1  ${'x'.repeat(30)}…`);
    expect(table(rows, columns, null)).toContain('x'.repeat(100));
  });

  it('keeps facts one below the other', () => {
    expect(
      facts([
        ['id', 'x'],
        ['placement', null],
      ]),
    ).toBe('id         x\nplacement  -\n');
  });
});

describe('text for a terminal', () => {
  it('keeps no control, and no mark that turns its direction around', () => {
    const hostile = '\u001b]0;title\u0007 \u009b31m \u202edlrow\u2066 \ud800 a\rb\u2028c';
    expect(oneLine(hostile)).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u202e\u2066]/u);
  });

  it('counts and cuts by what is seen', () => {
    expect([widthOf('👩‍👩‍👧'), widthOf('é'), widthOf('한')]).toEqual([2, 1, 2]);
    expect(cut('漢字漢字', 5)).toBe('漢字…');
    expect(cut('漢字', 4)).toBe('漢字');
  });
});

describe('a progress bar', () => {
  const screen = (isTTY: boolean) => {
    const written: string[] = [];
    return { written, isTTY, columns: 60, write: (text: string) => written.push(text) };
  };

  it('draws on one line and takes it back', () => {
    const terminal = screen(true);
    const bar = new ProgressBar(terminal);
    bar.show(1, 4, 'verify acme');
    bar.show(1, 4, 'verify acme');
    bar.clear();
    expect(terminal.written).toEqual([
      `\r\u001b[K${'█'.repeat(6)}${'░'.repeat(18)}  25 %  1/4  verify acme`,
      '\r\u001b[K',
    ]);
  });

  it('never wraps, and never shows more than the whole', () => {
    const terminal = screen(true);
    new ProgressBar(terminal).show(9, 4, 'x'.repeat(200));
    expect(terminal.written[0]).toContain('100 %');
    expect(widthOf(terminal.written[0]?.replace('\r\u001b[K', '') ?? '')).toBe(59);
  });

  it('writes nothing where nobody watches', () => {
    const file = screen(false);
    const bar = new ProgressBar(file);
    bar.show(1, 2, 'x');
    bar.clear();
    expect(file.written).toEqual([]);
  });
});

describe('a word to be typed', () => {
  const ask = (answer: string | null): Promise<boolean> => {
    const input = new PassThrough();
    const asked = typedWord('acme', 'Type it:', input, new PassThrough());
    input.end(answer ?? '');
    return asked;
  };

  it('is accepted only as it is', async () => {
    expect(await ask('acme\n')).toBe(true);
    expect(await ask('Acme\n')).toBe(false);
    expect(await ask('\n')).toBe(false);
  });

  it('is not taken from an input that ends', async () => {
    expect(await ask(null)).toBe(false);
  });
});
