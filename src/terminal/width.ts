import { eastAsianWidth } from 'get-east-asian-width';

const ASCII = /^[\x20-\x7e]*$/;
const COMBINING = /^[\p{Mn}\p{Me}\p{Cf}\p{Default_Ignorable_Code_Point}]+$/u;
const EMOJI = /\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|^\p{Regional_Indicator}{2}$/u;
const ELLIPSIS = '…';

/** The columns that a text without control characters takes on a terminal (UAX #11, UTS #51). */
export function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes(text)) width += graphemeWidth(segment);
  return width;
}

/** The beginning of a text that fits into so many columns, with an ellipsis at its end if it was cut. */
export function cut(text: string, columns: number): string {
  if (columns <= 0) return '';
  if (text.length <= columns && ASCII.test(text)) return text;
  let width = 0;
  let kept = '';
  for (const { segment } of graphemes(text)) {
    const next = graphemeWidth(segment);
    // Whether the whole text fits is not known before its end.
    if (width + next > columns) return `${cutHard(kept, columns - 1)}${ELLIPSIS}`;
    width += next;
    kept += segment;
  }
  return kept;
}

/** The text in exactly so many columns. */
export function fitted(text: string, columns: number, at: 'left' | 'right' = 'left'): string {
  const shown = cut(text, columns);
  const space = ' '.repeat(Math.max(0, columns - widthOf(shown)));
  return at === 'left' ? shown + space : space + shown;
}

/** The beginning of a text that fits into so many columns, and nothing else. */
export function cutHard(text: string, columns: number): string {
  let width = 0;
  let kept = '';
  for (const { segment } of graphemes(text)) {
    width += graphemeWidth(segment);
    if (width > columns) break;
    kept += segment;
  }
  return kept;
}

/** A list of a process's names may be a megabyte; no terminal has so many columns. */
const MOST_SEGMENTED = 4096;

function graphemes(text: string): Iterable<{ segment: string }> {
  return new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text.slice(0, MOST_SEGMENTED));
}

function graphemeWidth(grapheme: string): number {
  if (COMBINING.test(grapheme)) return 0;
  if (EMOJI.test(grapheme)) return 2;
  return eastAsianWidth(grapheme.codePointAt(0) ?? 0x20);
}
