/** A longer line belongs to no recording of kstack. */
const MAX_LINE_BYTES = 16 << 20;

/**
 * The lines in the bytes of a recording, those of each chunk together: take them before the next ones. Of a line that
 * is too long, its beginning, which is no JSON. What follows the last line end was torn off.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Iterable<string>> {
  let parts: Uint8Array[] = [];
  let length = 0;
  const take = () => {
    const line = Buffer.concat(parts).toString();
    parts = [];
    length = 0;
    return line;
  };
  const linesIn = function* (chunk: Buffer): Generator<string> {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      if (parts.length === 0) yield chunk.toString('utf8', from, end);
      else {
        parts.push(chunk.subarray(from, end));
        yield take();
      }
      from = end + 1;
    }
    if (length > MAX_LINE_BYTES) return;
    // The next chunk may replace this one.
    parts.push(Uint8Array.prototype.slice.call(chunk, from));
    length += chunk.length - from;
  };
  for await (const { buffer, byteOffset, byteLength } of chunks)
    yield linesIn(Buffer.from(buffer, byteOffset, byteLength));
}

const LINE_FEED = 10;
