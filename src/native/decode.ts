import { isUtf8 } from 'node:buffer';

/**
 * Decodes any bytes without loss. Valid UTF-8 is decoded as such. Every other byte becomes the lone surrogate
 * U+DC00 + byte, which no valid UTF-8 decodes to (Python's surrogateescape, PEP 383).
 */
export function decodeBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  // One UTF-16 unit per byte is enough. Concatenating strings instead would take hundreds of megabytes for a hostile
  // command line of 2 MB.
  const units = Buffer.allocUnsafe(bytes.length * 2);
  let end = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      end = units.writeUInt16LE(0xdc00 + bytes.readUInt8(at), end);
      at += 1;
    } else {
      for (const unit of unitsOf(bytes, at, length)) end = units.writeUInt16LE(unit, end);
      at += length;
    }
  }
  return units.toString('utf16le', 0, end);
}

/** The one or two UTF-16 units of a well-formed UTF-8 sequence. */
function unitsOf(bytes: Buffer, at: number, length: number): number[] {
  const first = bytes.readUInt8(at);
  let code = length === 1 ? first : first & (0x7f >> length);
  for (let i = 1; i < length; i++) code = (code << 6) | (bytes.readUInt8(at + i) & 0x3f);
  return code < 0x10000 ? [code] : [0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff)];
}

/** The length of the well-formed UTF-8 sequence at `at`; 0 if there is none (Unicode, table 3-7). */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes.readUInt8(at);
  if (first < 0x80) return 1;
  const length = first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (length === 0 || at + length > bytes.length) return 0;
  const second = bytes.readUInt8(at + 1);
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let i = 2; i < length; i++) if ((bytes.readUInt8(at + i) & 0xc0) !== 0x80) return 0;
  return length;
}
