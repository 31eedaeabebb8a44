import { ProtobufMessage } from './protobuf-message.js';

/** `TensorProto.DataType`, the ones written here. */
const DATA_TYPE = { float32: 1, int8: 3, int32: 6, int64: 7, float16: 10 } as const;
export type OnnxType = keyof typeof DATA_TYPE;

/** `AttributeProto.AttributeType`. */
const ATTRIBUTE = { float: 1, int: 2 } as const;

const IR_VERSION = 9;
const OPSET = 18;
/** Holds the fused and quantized operators of onnxruntime. */
const MICROSOFT = 'com.microsoft';

/** An attribute of an operator. JavaScript cannot tell 1 from 1.0, so floats are marked. */
export type Attribute = number | { float: number };

/**
 * An ONNX model being written: the subset of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 * that a feed-forward graph needs. Values are named by text; every method returns the name of what it made.
 */
export class OnnxGraph {
  private readonly nodes: ProtobufMessage[] = [];
  private readonly tensors: ProtobufMessage[] = [];
  private readonly inputs: ProtobufMessage[] = [];
  private readonly outputs: ProtobufMessage[] = [];

  constructor(private readonly name: string) {}

  /** A constant. `data` is not copied: leave it alone until the model is written. */
  constant(name: string, type: OnnxType, shape: readonly number[], data: ArrayBufferView): string {
    const tensor = new ProtobufMessage();
    for (const size of shape) tensor.integer(1, size);
    tensor.integer(2, DATA_TYPE[type]).text(8, name);
    tensor.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    this.tensors.push(tensor);
    return name;
  }

  /** A named size, such as `tokens`, is one that varies from run to run. */
  input(name: string, type: OnnxType, shape: readonly (number | string)[]): string {
    this.inputs.push(describeValue(name, type, shape));
    return name;
  }

  output(name: string, type: OnnxType, shape: readonly (number | string)[]): void {
    this.outputs.push(describeValue(name, type, shape));
  }

  /** One of ONNX's own operators. An input named '' is left out. */
  apply(
    operator: string,
    inputs: string[],
    output: string,
    attributes: Record<string, Attribute> = {},
  ): string {
    this.addNode('', operator, inputs, [output], attributes);
    return output;
  }

  /** One of onnxruntime's operators. */
  applyFused(
    operator: string,
    inputs: string[],
    output: string,
    attributes: Record<string, Attribute> = {},
  ): string {
    this.addNode(MICROSOFT, operator, inputs, [output], attributes);
    return output;
  }

  /** Equal parts along the last axis. */
  split(input: string, outputs: string[]): string[] {
    this.addNode('', 'Split', [input], outputs, { axis: -1, num_outputs: outputs.length });
    return outputs;
  }

  /** The whole model, in pieces to be written one after the other. */
  serialize(): readonly Uint8Array[] {
    const graph = new ProtobufMessage();
    for (const node of this.nodes) graph.message(1, node);
    graph.text(2, this.name);
    for (const tensor of this.tensors) graph.message(5, tensor);
    for (const input of this.inputs) graph.message(11, input);
    for (const output of this.outputs) graph.message(12, output);
    return new ProtobufMessage()
      .integer(1, IR_VERSION)
      .text(2, 'loci')
      .message(7, graph)
      .message(8, new ProtobufMessage().text(1, '').integer(2, OPSET))
      .message(8, new ProtobufMessage().text(1, MICROSOFT).integer(2, 1))
      .chunks();
  }

  private addNode(
    domain: string,
    operator: string,
    inputs: string[],
    outputs: string[],
    attributes: Record<string, Attribute>,
  ): void {
    const node = new ProtobufMessage();
    for (const input of inputs) node.text(1, input);
    for (const output of outputs) node.text(2, output);
    node.text(4, operator);
    for (const [name, value] of Object.entries(attributes)) node.message(5, describeAttribute(name, value));
    if (domain !== '') node.text(7, domain);
    this.nodes.push(node);
  }
}

function describeAttribute(name: string, value: Attribute): ProtobufMessage {
  const attribute = new ProtobufMessage().text(1, name);
  return typeof value === 'number'
    ? attribute.integer(3, value).integer(20, ATTRIBUTE.int)
    : attribute.float(2, value.float).integer(20, ATTRIBUTE.float);
}

function describeValue(name: string, type: OnnxType, shape: readonly (number | string)[]): ProtobufMessage {
  const sizes = new ProtobufMessage();
  for (const size of shape) {
    const dimension = new ProtobufMessage();
    sizes.message(1, typeof size === 'number' ? dimension.integer(1, size) : dimension.text(2, size));
  }
  const tensorType = new ProtobufMessage().integer(1, DATA_TYPE[type]).message(2, sizes);
  return new ProtobufMessage().text(1, name).message(2, new ProtobufMessage().message(1, tensorType));
}
