/**
 * What a receiver did not take of a request that it took: the partial_success of an Export*ServiceResponse, which has
 * the same numbers for all signals.
 */
export interface Rejected {
  readonly count: number;
  readonly why: string;
}

const PARTIAL_SUCCESS = 1;
const [REJECTED, ERROR_MESSAGE] = [1, 2];
/** google/rpc/status.proto, Status.message */
const STATUS_MESSAGE = 2;
const LONGEST = 300;

/** Undefined if it took all, or if the answer is none that is known. */
export function rejectedIn(answer: Uint8Array): Rejected | undefined {
  const partial = fieldsOf(answer)?.get(PARTIAL_SUCCESS);
  if (!(partial instanceof Uint8Array)) return undefined;
  const fields = fieldsOf(partial);
  const [count = 0, why] = [fields?.get(REJECTED), fields?.get(ERROR_MESSAGE)];
  const text = why instanceof Uint8Array ? textOf(why) : '';
  if (typeof count !== 'number') return undefined;
  // It is signed.
  const rejected = count < 2 ** 63 ? count : 0;
  return rejected > 0 || text !== '' ? { count: rejected, why: text } : undefined;
}

/** What a receiver says of a request that failed: a google.rpc.Status. Undefined if it says nothing. */
export function statusIn(answer: Uint8Array): string | undefined {
  const message = fieldsOf(answer)?.get(STATUS_MESSAGE);
  return message instanceof Uint8Array && message.length > 0 ? textOf(message) : undefined;
}

/** The beginning of a text, on one line. It may hold anything else. */
export function textOf(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes.subarray(0, LONGEST)).replaceAll(/\s+/g, ' ').trim();
  return bytes.length > LONGEST ? `${text}...` : text;
}

/** The last value of each field of a message (protobuf.dev/programming-guides/encoding); undefined if it is none. */
function fieldsOf(bytes: Uint8Array): Map<number, number | Uint8Array> | undefined {
  const fields = new Map<number, number | Uint8Array>();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; at < bytes.length && scale < 2 ** 70; scale *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  };
  while (at < bytes.length) {
    const tag = varint();
    const [field, type] = [Math.floor(tag / 8), tag % 8];
    const length = type === 2 ? varint() : type === 1 ? 8 : type === 5 ? 4 : 0;
    if (type === 0) fields.set(field, varint());
    else if (type === 1 || type === 2 || type === 5) fields.set(field, bytes.subarray(at, at + length));
    else return undefined;
    at += length;
    if (!(at <= bytes.length)) return undefined;
  }
  return fields;
}
