import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';

/** What is used of the package, whose own types cannot be resolved. */
interface PieceTokenizer {
  encode(text: string): { ids: number[] };
}
const untyped: unknown = Tokenizer;
const PackagedTokenizer = untyped as new (tokenizer: object, config: object) => PieceTokenizer;

const END_OF_TEXT = 102;
/** Texts are cut here before they are tokenized: far beyond what 256 tokens hold (some 1,200 characters). */
const MAX_CHARACTERS = 8192;

/** BERT's tokens of a text: lower case, without accents, words cut into the pieces that the model knows. */
export class WordPieces {
  private readonly tokenizer: PieceTokenizer;

  constructor(
    tokenizerPath: string,
    private readonly limit: number,
  ) {
    this.tokenizer = new PackagedTokenizer(JSON.parse(readFileSync(tokenizerPath, 'utf8')) as object, {});
  }

  /** Ids from [CLS] to [SEP], at most `limit` with these two; what goes beyond is cut. Any string will do. */
  encode(text: string): number[] {
    const start = text.replace(/\s+/g, ' ').slice(0, MAX_CHARACTERS);
    const { ids } = this.tokenizer.encode(start);
    return ids.length <= this.limit ? ids : [...ids.slice(0, this.limit - 1), END_OF_TEXT];
  }
}
