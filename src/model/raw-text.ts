/** Bytes that are not UTF-8 stand as lone surrogates U+DC80 to U+DCFF (see decodeBytes), which few programs read. */
const EACH_INVALID = /[\ud800-\udfff]/gu;

export function isUtf8Text(text: string): boolean {
  return text.isWellFormed();
}

/** The text with each byte that is not UTF-8 as `\xff`. */
export function escapeInvalid(text: string): string {
  return text.isWellFormed()
    ? text
    : text.replace(EACH_INVALID, (unit) => `\\x${(unit.charCodeAt(0) & 0xff).toString(16)}`);
}

/** The bytes that the text was decoded from, as hexadecimal digits. */
export function bytesAsHex(text: string): string {
  const encoder = new TextEncoder();
  let digits = '';
  for (const character of text) {
    const code = character.charCodeAt(0);
    const bytes =
      character.length === 1 && code >= 0xdc80 && code <= 0xdcff ? [code - 0xdc00] : encoder.encode(character);
    for (const byte of bytes) digits += byte.toString(16).padStart(2, '0');
  }
  return digits;
}
