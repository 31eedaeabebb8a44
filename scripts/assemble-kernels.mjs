// Assembles src/spaces/embedded/vector-kernels.wat into the module beside it.
import { readFileSync, writeFileSync } from 'node:fs';
import openWabt from 'wabt';

const source = new URL('../src/spaces/embedded/vector-kernels.wat', import.meta.url);
const target = new URL('../src/spaces/embedded/vector-kernels.wasm.ts', import.meta.url);

export async function assembleKernels() {
  const { parseWat } = await openWabt();
  const { buffer } = parseWat('vector-kernels.wat', readFileSync(source, 'utf8')).toBinary({});
  const text = Buffer.from(buffer).toString('base64');
  const lines = text.match(/.{1,100}/g).map((line) => `  '${line}',`);
  return [
    '/** Assembled from vector-kernels.wat by `node scripts/assemble-kernels.mjs`; a test compares the two. */',
    'export const VECTOR_KERNELS = [',
    ...lines,
    "].join('');",
    '',
  ].join('\n');
}

if (import.meta.main ?? process.argv[1] === new URL(import.meta.url).pathname) {
  writeFileSync(target, await assembleKernels());
}
