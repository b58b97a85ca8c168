const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const MOST_VARINT_BYTES = 10;
const MOST_UTF8_BYTES = 3;
const FIRST_BYTES = 64 * 1024;

const encoder = new TextEncoder();

/** Encodes protobuf messages, field by field, into one buffer (protobuf.dev/programming-guides/encoding). */
export class Message {
  #bytes = new Uint8Array(FIRST_BYTES);
  #length = 0;

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** For uint32, uint64, int64, bool and enum, from 0 up to 2^53. */
  varint(field: number, value: number): this {
    return this.#tag(field, VARINT).#varint(value);
  }

  /** For those beyond: `high` has the upper 32 bits. */
  varint64(field: number, high: number, low: number): this {
    this.#tag(field, VARINT);
    let [upper, lower] = [high, low];
    while (upper > 0) {
      this.#bytes[this.#length++] = (lower & 0x7f) | 0x80;
      lower = ((upper & 0x7f) * 2 ** 25 + (lower >>> 7)) >>> 0;
      upper >>>= 7;
    }
    return this.#varint(lower);
  }

  fixed64(field: number, value: bigint): this {
    this.#fixed64(field).setBigUint64(0, value, true);
    return this;
  }

  double(field: number, value: number): this {
    this.#fixed64(field).setFloat64(0, value, true);
    return this;
  }

  /** Well-formed text. */
  text(field: number, value: string): this {
    return this.message(field, () => {
      this.#reserve(MOST_UTF8_BYTES * value.length);
      this.#length += encoder.encodeInto(value, this.#bytes.subarray(this.#length)).written;
    });
  }

  bytes(field: number, value: Uint8Array): this {
    return this.message(field, () => {
      this.#reserve(value.length);
      this.#bytes.set(value, this.#length);
      this.#length += value.length;
    });
  }

  /** A repeated field of such numbers as varint() takes. */
  packed(field: number, values: readonly number[]): this {
    if (values.length === 0) return this;
    return this.message(field, () => {
      this.#reserve(MOST_VARINT_BYTES * values.length);
      for (const value of values) this.#varint(value);
    });
  }

  /** A message within this one, which has the fields that `write` adds. */
  message(field: number, write: () => void): this {
    this.#tag(field, LENGTH_DELIMITED);
    const from = this.#length;
    this.#length++;
    write();
    const length = this.#length - from - 1;
    const bytes = length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x200000 ? 3 : 4;
    this.#reserve(MOST_VARINT_BYTES);
    this.#bytes.copyWithin(from + bytes, from + 1, this.#length);
    this.#length = from;
    this.#varint(length);
    this.#length += length;
    return this;
  }

  /** What was added since the last call. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #tag(field: number, type: number): this {
    // Room for a value, too.
    this.#reserve(2 * MOST_VARINT_BYTES);
    return this.#varint(field * 8 + type);
  }

  /** There has to be room. */
  #varint(value: number): this {
    let left = value;
    for (; left > 0x7f; left = Math.floor(left / 128)) this.#bytes[this.#length++] = (left % 128) | 0x80;
    this.#bytes[this.#length++] = left;
    return this;
  }

  /** Room for a value of 64 bits. */
  #fixed64(field: number): DataView {
    this.#tag(field, FIXED64);
    this.#length += 8;
    return new DataView(this.#bytes.buffer, this.#length - 8);
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
