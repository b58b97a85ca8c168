const PIECE = 1 << 16;

/** C0, DEL, C1, the controls of the bidirectional algorithm (UAX #9), and surrogates without their partner. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/gu;

/**
 * Makes text safe to show in a terminal and in a line of a log: what would act on the terminal, end the line or turn
 * its direction is shown as `\x1b` or `\u202e`, and so is a byte that was not UTF-8 (see decodeBytes), as `\xff`.
 * Backslashes stay as they are.
 */
export function escapeUnsafe(text: string): string {
  if (text.length <= PIECE) return text.replace(UNSAFE, escapeCharacter);
  // Piece by piece: with millions of matches at once, the matches would take hundreds of megabytes.
  const pieces: string[] = [];
  for (let at = 0; at < text.length; ) {
    const pairIsCut = /[\ud800-\udbff]/.test(text.charAt(at + PIECE - 1));
    const end = at + PIECE - (pairIsCut ? 1 : 0);
    pieces.push(text.slice(at, end).replace(UNSAFE, escapeCharacter));
    at = end;
  }
  return pieces.join('');
}

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  const byte = code >= 0xdc80 && code <= 0xdcff ? code - 0xdc00 : code;
  return byte <= 0xff ? `\\x${byte.toString(16).padStart(2, '0')}` : `\\u${byte.toString(16).padStart(4, '0')}`;
}
