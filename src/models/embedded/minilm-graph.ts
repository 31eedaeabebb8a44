import { readFileSync } from 'node:fs';
import { OnnxGraph } from './onnx-graph.js';
import { Safetensors } from './safetensors.js';

/** How the weights of the matrix products are held: int8 is some three times faster. */
export type Precision = 'int8' | 'fp32';

/** Raise it with any change to the graph: models that were kept from earlier starts are then built anew. */
export const GRAPH_VERSION = 1;

/** Texts are cut to this many tokens, the two at the ends counted: what the model was trained for. */
export const MAX_TOKENS = 256;

export const TOKENS_INPUT = 'tokens';
export const POSITIONS_INPUT = 'positions';
export const EMBEDDING_OUTPUT = 'embedding';

interface BertShape {
  hidden_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  intermediate_size: number;
  layer_norm_eps: number;
  vocab_size: number;
}

/**
 * all-MiniLM-L6-v2 (a BERT of six layers, then the mean over the tokens at unit length) as an ONNX model,
 * from the published weights. In: `tokens` [1, n] and `positions` [n] = 0…n-1, int32, n at most MAX_TOKENS.
 * Out: `embedding` [1, 384]. One text at a time: without padding there is nothing to mask, and with
 * int8 the scale of the activations, hence the vector, would depend on what else is in the batch.
 */
export function buildMiniLm(
  weightsPath: string,
  configPath: string,
  precision: Precision,
): readonly Uint8Array[] {
  const shape = JSON.parse(readFileSync(configPath, 'utf8')) as BertShape;
  const weights = Safetensors.open(weightsPath);
  try {
    return new MiniLmGraph(weights, shape, precision).build();
  } finally {
    weights.close();
  }
}

class MiniLmGraph {
  private readonly graph = new OnnxGraph('minilm');

  constructor(
    private readonly weights: Safetensors,
    private readonly shape: BertShape,
    private readonly precision: Precision,
  ) {}

  build(): readonly Uint8Array[] {
    let hidden = this.embeddings();
    for (let layer = 0; layer < this.shape.num_hidden_layers; layer++) hidden = this.layer(hidden, layer);
    const axis = this.graph.constant('token_axis', 'int64', [1], BigInt64Array.of(1n));
    const mean = this.graph.apply('ReduceMean', [hidden, axis], 'mean', { keepdims: 0 });
    this.graph.apply('LpNormalization', [mean], EMBEDDING_OUTPUT, { axis: -1, p: 2 });
    this.graph.output(EMBEDDING_OUTPUT, 'float32', [1, this.shape.hidden_size]);
    return this.graph.serialize();
  }

  private embeddings(): string {
    const { graph, shape } = this;
    const tokens = graph.input(TOKENS_INPUT, 'int32', [1, 'n']);
    const positions = graph.input(POSITIONS_INPUT, 'int32', ['n']);
    // The largest part of the model: kept as the half precision it comes in, and widened for the few rows that a text needs.
    const words = graph.constant(
      'words',
      'float16',
      [shape.vocab_size, shape.hidden_size],
      this.weights.halves('embeddings.word_embeddings.weight'),
    );
    const places = graph.constant('places', 'float32', [MAX_TOKENS, shape.hidden_size], this.places());
    const narrow = graph.apply('Gather', [words, tokens], 'words_of_text', { axis: 0 });
    const wide = graph.apply('Cast', [narrow], 'words_widened', { to: 1 });
    const place = graph.apply('Gather', [places, positions], 'places_of_text', { axis: 0 });
    const sum = graph.apply('Add', [wide, place], 'embedded');
    const norm = this.normWeights('embeddings.LayerNorm');
    return graph.apply('LayerNormalization', [sum, ...norm], 'embedded_norm', {
      axis: -1,
      epsilon: this.epsilon,
    });
  }

  /** What is added to a word for its place, and for being in the first (here the only) text of a pair. */
  private places(): Float32Array {
    const size = this.shape.hidden_size;
    const places = this.weights.floats('embeddings.position_embeddings.weight').slice(0, MAX_TOKENS * size);
    const firstText = this.weights.floats('embeddings.token_type_embeddings.weight').subarray(0, size);
    return places.map((value, i) => value + (firstText[i % size] ?? NaN));
  }

  private layer(input: string, index: number): string {
    const { graph, shape } = this;
    const name = `encoder.layer.${index}`;
    const size = shape.hidden_size;
    const self = `${name}.attention.self`;
    const joint = this.linear(
      `${self}.joint`,
      input,
      [`${self}.query`, `${self}.key`, `${self}.value`],
      size,
      size,
    );
    const parts = graph.split(joint, [`${self}.q`, `${self}.k`, `${self}.v`]);
    const attended = graph.applyFused('MultiHeadAttention', parts, `${self}.out`, {
      num_heads: shape.num_attention_heads,
    });
    const attention = this.project(`${name}.attention.output`, attended, input, size);
    const wide = this.linear(
      `${name}.wide`,
      attention,
      [`${name}.intermediate.dense`],
      shape.intermediate_size,
      size,
    );
    const active = graph.applyFused('Gelu', [wide], `${name}.active`);
    return this.project(`${name}.output`, active, attention, shape.intermediate_size);
  }

  /** Back to the hidden size, added to what came before, normalised. */
  private project(name: string, input: string, before: string, inputs: number): string {
    const dense = this.linear(`${name}.projected`, input, [`${name}.dense`], this.shape.hidden_size, inputs);
    const norm = this.normWeights(`${name}.LayerNorm`);
    return this.graph.applyFused('SkipLayerNormalization', [dense, before, ...norm], `${name}.out`, {
      epsilon: this.epsilon,
    });
  }

  /** `input` times the named weights and their biases, side by side. Each is `outputs` x `inputs` in the file. */
  private linear(name: string, input: string, sources: string[], outputs: number, inputs: number): string {
    const { graph } = this;
    const columns = sources.length * outputs;
    const bias = new Float32Array(columns);
    const rows = new Float32Array(columns * inputs);
    sources.forEach((source, i) => {
      bias.set(this.weights.floats(`${source}.bias`), i * outputs);
      rows.set(this.weights.floats(`${source}.weight`), i * outputs * inputs);
    });
    const biasName = graph.constant(`${name}.bias`, 'float32', [columns], bias);
    if (this.precision === 'fp32') {
      const matrix = graph.constant(
        `${name}.w`,
        'float32',
        [inputs, columns],
        transpose(rows, columns, inputs),
      );
      const product = graph.apply('MatMul', [input, matrix], `${name}.product`);
      return graph.apply('Add', [product, biasName], name);
    }
    const { values, scales } = quantize(rows, columns, inputs);
    return graph.applyFused(
      'DynamicQuantizeMatMul',
      [
        input,
        graph.constant(`${name}.w`, 'int8', [inputs, columns], values),
        graph.constant(`${name}.scale`, 'float32', [columns], scales),
        graph.constant(`${name}.zero`, 'int8', [columns], new Int8Array(columns)),
        biasName,
      ],
      name,
    );
  }

  private normWeights(name: string): [string, string] {
    const size = [this.shape.hidden_size];
    return [
      this.graph.constant(`${name}.weight`, 'float32', size, this.weights.floats(`${name}.weight`)),
      this.graph.constant(`${name}.bias`, 'float32', size, this.weights.floats(`${name}.bias`)),
    ];
  }

  private get epsilon(): { float: number } {
    return { float: this.shape.layer_norm_eps };
  }
}

function transpose(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(matrix.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = matrix[row * columns + column] ?? NaN;
    }
  }
  return turned;
}

/**
 * The largest weight. Seven bits, not eight: without VNNI, x86 adds two products of 8 bits in 16 and saturates.
 * So every processor gives the same vectors, for 0.001 of cosine to fp32.
 */
const MAX_WEIGHT = 63;

/** Symmetric integers with a scale for each row of `matrix`; the values come back transposed. */
function quantize(
  matrix: Float32Array,
  rows: number,
  columns: number,
): { values: Int8Array; scales: Float32Array } {
  const values = new Int8Array(matrix.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const line = matrix.subarray(row * columns, (row + 1) * columns);
    const scale = line.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / MAX_WEIGHT || 1;
    scales[row] = scale;
    line.forEach((value, column) => (values[column * rows + row] = Math.round(value / scale)));
  }
  return { values, scales };
}
