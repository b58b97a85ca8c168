import { firstCode, lastCode } from './literals.ts';

// Marks of trackers, chats and tables that stand in the same line as the first, the last or any line of a text.

const BEGIN =
  /^\s{0,40}(?:\{(?:noformat|code|quote|panel)(?::[^}]{0,200})?\}|\[(?:code|pre|quote|spoiler|plain)(?:=[^\]]{0,200})?\]|`{3}(?:\w{1,16}$)?)/i;
const CDATA = '<![CDATA[';
const END =
  /(?:\{(?:noformat|code|quote|panel)\}|\[\/(?:code|pre|quote|spoiler|plain)\]|`{3}|\]\]>(?:<\/[\w:-]{1,64}>)?|"\s?\/?>)\s{0,4}$/i;
/** Code in the last cell. */
const CODE_CELL = /^(.{0,200}?[|│┃║] ?)`([^`]*)`$/s;

const codes = (marks: string): ReadonlySet<number> => new Set([...marks].map((mark) => mark.charCodeAt(0)));
const [LESS, GREATER] = [60, 62];
const ELEMENT =
  /^\s{0,80}<(?!(?:summary|title|h[1-6]|th)\b)([A-Za-z][\w:.-]{0,63})(?:\s[^<>]{0,400})?>(.*)<\/\1>\s{0,8}$/s;
const FIRST = codes('{[`');
const LAST = codes('}]`>');
const BORDER = codes('|│┃║');

/** The line without such marks; the same line if it has none. */
export function withoutMarkup(line: string): string {
  const first = firstCode(line);
  const text = withoutTwin(first === LESS ? elementText(withoutFences(line)) : withoutFences(line));
  if (!BORDER.has(firstCode(text)) || !BORDER.has(lastCode(text))) return text;
  const cells = text.trimEnd().slice(0, -1).trimEnd().replaceAll('\\|', '|');
  const [, before, code] = CODE_CELL.exec(cells) ?? [];
  return code === undefined ? cells : `${before}${code}`;
}

/** One of the equal lines that `diff -y` shows side by side. */
function withoutTwin(line: string): string {
  // To look for the last one is dear, and most lines have none.
  const at = line.includes('\t') ? line.lastIndexOf('\t') : -1;
  if (at < LEAST_COLUMN || !line.startsWith(line.slice(at + 1).trimEnd())) return line;
  const left = line.slice(0, at).trimEnd();
  return left === line.slice(at + 1).trimEnd() && left !== '' ? left : line;
}

const LEAST_COLUMN = 8;

/** The text of an element of XML that is all of the line. */
function elementText(line: string): string {
  return lastCode(line) === GREATER ? (ELEMENT.exec(line)?.[2] ?? line) : line;
}

function withoutFences(line: string): string {
  const begin = FIRST.has(firstCode(line)) ? BEGIN.exec(line)?.[0] : undefined;
  const data = line.indexOf(CDATA);
  const from = begin?.length ?? (data === -1 ? 0 : data + CDATA.length);
  const end = LAST.has(lastCode(line)) ? END.exec(line)?.index : undefined;
  return from === 0 && end === undefined ? line : line.slice(from, end);
}
