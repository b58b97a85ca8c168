/**
 * A command line as the classic interface shows it: the decoded /proc/PID/cmdline without white space at both ends, and
 * with each NUL turned into a space. A NUL is not white space, so an ordinary command line ends with a space.
 */
export function commandLineText(text: string): string {
  let from = 0;
  let to = text.length;
  // No regular expression: trimming the end with one takes quadratic time if there is much white space in the middle.
  while (from < to && isWhiteSpace(text.charCodeAt(from))) from++;
  while (to > from && isWhiteSpace(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to).replaceAll('\0', ' ');
}

/**
 * What Python's str.strip removes: Unicode category Zs, and the bidirectional classes WS, B and S (UAX #9).
 * JavaScript's trim differs: it keeps U+001C to U+001F and U+0085, and removes U+FEFF.
 */
function isWhiteSpace(code: number): boolean {
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x1f);
  return code === 0x85 || code === 0xa0 || (code >= 0x2000 && code <= 0x200a) || OTHERS.has(code);
}

const OTHERS: ReadonlySet<number> = new Set([0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000]);

/** The budget for all command lines together, and the bytes that each may have once the budget is used up. */
export interface CommandLineLimits {
  readonly allBytes: number;
  readonly leastBytes: number;
}
