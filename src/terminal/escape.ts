const PIECE = 1 << 16;

/** C0, DEL, C1, the separators of lines and paragraphs, the bidirectional controls (UAX #9), and lone surrogates. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\p{Surrogate}/gu;

/**
 * Makes text safe for a terminal and for a line of a log. Characters that control the terminal, end the line or change
 * its direction become `\x1b` or `\u202e`; a byte that was not UTF-8 (see decodeBytes) becomes `\xff`. Backslashes
 * stay as they are.
 */
export function escapeUnsafe(text: string): string {
  if (text.length <= PIECE) return text.replace(UNSAFE, escapeCharacter);
  // In pieces: the engine keeps all matches of a replace, and millions of them take hundreds of megabytes.
  const pieces: string[] = [];
  for (let at = 0; at < text.length; ) {
    const pairIsCut = /[\ud800-\udbff]/.test(text.charAt(at + PIECE - 1));
    const end = at + PIECE - (pairIsCut ? 1 : 0);
    pieces.push(text.slice(at, end).replace(UNSAFE, escapeCharacter));
    at = end;
  }
  return pieces.join('');
}

/** The name of a file for a message: all of it on one line, and an empty one in quotes. */
export function shownName(name: string): string {
  return name === '' ? "''" : escapeUnsafe(name);
}

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  const byte = code >= 0xdc80 && code <= 0xdcff ? code - 0xdc00 : code;
  return byte <= 0xff ? `\\x${byte.toString(16).padStart(2, '0')}` : `\\u${byte.toString(16).padStart(4, '0')}`;
}
