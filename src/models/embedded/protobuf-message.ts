const encoder = new TextEncoder();

/** Wire types of https://protobuf.dev/programming-guides/encoding. */
const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/**
 * A protobuf message being written, field by field. Bytes are kept by reference, never joined:
 * a model's weights are written to a file without a second copy of them in memory.
 */
export class ProtobufMessage {
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  integer(field: number, value: number | bigint): this {
    return this.tag(field, VARINT).varint(value);
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.tag(field, FIXED_32).append(bytes);
  }

  bytes(field: number, value: Uint8Array): this {
    return this.tag(field, LENGTH_DELIMITED).varint(value.length).append(value);
  }

  text(field: number, value: string): this {
    return this.bytes(field, encoder.encode(value));
  }

  message(field: number, value: ProtobufMessage): this {
    this.tag(field, LENGTH_DELIMITED).varint(value.length);
    for (const part of value.parts) this.append(part);
    return this;
  }

  /** The message's bytes, in order; joined they are the message. */
  chunks(): readonly Uint8Array[] {
    return this.parts;
  }

  private tag(field: number, wireType: number): this {
    return this.varint((field << 3) | wireType);
  }

  /** Negative numbers are written as their 64-bit two's complement, as `int64` fields want. */
  private varint(value: number | bigint): this {
    let rest = BigInt.asUintN(64, BigInt(value));
    const bytes: number[] = [];
    do {
      const low = Number(rest & 127n);
      rest >>= 7n;
      bytes.push(rest > 0n ? low | 128 : low);
    } while (rest > 0n);
    return this.append(Uint8Array.from(bytes));
  }

  private append(part: Uint8Array): this {
    this.parts.push(part);
    this.length += part.length;
    return this;
  }
}
