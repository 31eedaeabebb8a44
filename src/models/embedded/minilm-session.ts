import { InferenceSession, Tensor } from 'onnxruntime-node';
import {
  buildMiniLm,
  EMBEDDING_OUTPUT,
  GRAPH_VERSION,
  MAX_TOKENS,
  POSITIONS_INPUT,
  TOKENS_INPUT,
  type Precision,
} from './minilm-graph.js';
import { minilmModel } from './minilm-model.js';
import { minilmPackage } from './minilm-package.js';
import { cachedModel } from './model-cache.js';
import { WordPieces } from './word-pieces.js';

const positions = Int32Array.from({ length: MAX_TOKENS }, (_, i) => i);

/** MiniLM, loaded. It computes on the thread that calls it, so it belongs in a worker. */
export class MiniLmSession {
  private readonly wordPieces = new WordPieces(minilmPackage.tokenizerPath, MAX_TOKENS);

  private constructor(private readonly session: InferenceSession) {}

  /** From the file that an earlier start left in `cacheDir`, else built. Null: built in memory, nothing kept. */
  static async load(cacheDir: string | null, precision: Precision): Promise<MiniLmSession> {
    const build = (): readonly Uint8Array[] =>
      buildMiniLm(minilmPackage.weightsPath, minilmPackage.configPath, precision);
    const session =
      cacheDir === null
        ? await InferenceSession.create(Buffer.concat(build()), sessionOptions)
        : await InferenceSession.create(
            cachedModel(cacheDir, minilmModel(precision).name, GRAPH_VERSION, build),
            sessionOptions,
          );
    return new MiniLmSession(session);
  }

  /** Unit length. */
  async embed(text: string): Promise<Float32Array<ArrayBuffer>> {
    const tokens = this.wordPieces.encode(text);
    const length = tokens.length;
    const results = await this.session.run({
      [TOKENS_INPUT]: new Tensor('int32', Int32Array.from(tokens), [1, length]),
      [POSITIONS_INPUT]: new Tensor('int32', positions.subarray(0, length), [length]),
    });
    const embedding = results[EMBEDDING_OUTPUT]?.data;
    if (!(embedding instanceof Float32Array)) throw new Error('The model gave no embedding');
    // A copy, because it is handed to another thread and the tensor's memory is onnxruntime's.
    return Float32Array.from(embedding);
  }
}

const sessionOptions: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  graphOptimizationLevel: 'all',
  // An arena would keep the most that any text ever needed.
  enableCpuMemArena: false,
  enableMemPattern: false,
  logSeverityLevel: 3,
};
