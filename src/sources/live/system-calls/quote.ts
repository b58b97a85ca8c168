import { decodeBytes } from '../../../native/decode.ts';

/** What ends a line, acts on a terminal, turns the direction of text or does not show at all. */
const SPECIAL = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\\]/gu;
const SHORT: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A string as C would have it: `"a\n\"b\"\xff"`; characters beyond ASCII that do not show are `\u202e`. */
export function quote(bytes: Uint8Array): string {
  return `"${escapeSpecial(decodeBytes(Buffer.from(bytes))).replaceAll('"', '\\"')}"`;
}

/** What a descriptor refers to, or one end of a connection, made safe to stand in `<>` and beside an arrow. */
export function escapeTarget(target: string): string {
  return escapeSpecial(target).replaceAll('>', '\\x3e');
}

function escapeSpecial(text: string): string {
  return text.replace(SPECIAL, (character) => SHORT[character] ?? escapeCode(character.codePointAt(0) ?? 0));
}

function escapeCode(code: number): string {
  const byte = code >= 0xdc80 && code <= 0xdcff ? code - 0xdc00 : code;
  // A byte that is no UTF-8 is told from a character with the same number.
  if (code < 0x80 || byte !== code) return `\\x${byte.toString(16).padStart(2, '0')}`;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
