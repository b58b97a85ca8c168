/** A longer line belongs to no recording of kstack. */
const MAX_LINE_BYTES = 16 << 20;
const LINE_FEED = 10;

/**
 * The bytes of a recording in pieces of whole lines: take each before the next one. Of a line that is too long, its
 * beginning, which is no JSON. What follows the last line end was torn off.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const first = chunk.indexOf(LINE_FEED);
    let from = 0;
    if (length > 0 && first !== -1) {
      from = first + 1;
      yield joined([...parts, chunk.subarray(0, from)]);
      parts = [];
      length = 0;
    }
    const end = first === -1 ? 0 : chunk.lastIndexOf(LINE_FEED) + 1;
    if (end > from) yield chunk.subarray(from, end);
    const rest = Math.max(from, end);
    if (rest === chunk.length || length > MAX_LINE_BYTES) continue;
    // The next chunk may replace this one.
    parts.push(Uint8Array.prototype.slice.call(chunk, rest));
    length += chunk.length - rest;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
