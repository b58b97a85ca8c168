import { OF_KERNEL as ofKernel } from './json-records.ts';

// Strings as programs and people write them into a line: in quotes, with escapes instead of line ends and tabs.

/** Most lines end with none of these. */
const LAST = new Set([...'"\'`])},;+\\”»’“‘」』'].map((mark) => mark.charCodeAt(0)));
/** Nothing but a string, as in lists of JSON, YAML, Python and C. */
const WHOLE =
  /^\s{0,80}(?:(?:(?:[-*•]|\d{1,4}[.)]|\[ {0,4}\d{1,6}\](?: =)?)|string\(\d{1,7}\)) )?[[(]?b?(?:"([^"\\]*(?:\\.[^"\\]*)*)"|'((?:[^'\\]|\\.|'')*)'|`([^`]*)`|“([^”]*)”|«([^»]*)»|‘([^’]*)’|[„‚]([^“‘”]*)[“‘”]|[「『]([^」』]*)[」』])[\])]?\s?[,;+\\]?\s{0,4}$/s;
/** Several of them. */
const LIST =
  /^\s{0,80}[[(](?:(?:b|<<|\[\d{1,7}\]=)?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')(?:>>)?,? ?){2,}[\])],?\s{0,4}$/s;
/** The same behind a name, or among other values. */
const LISTED =
  /^.{0,400}?([[({](?:(?:b|<<|\[\d{1,7}\]=)?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')(?:>>)?,? ?){2,}[\])}])/s;
const STRINGS = /["'](?:>>)?[, ]{1,2}(?:b|<<|\[\d{1,7}\]=)?["']/;
const ITEM = /"([^"\\]*(?:\\.[^"\\]*)*)"|'([^'\\]*(?:\\.[^'\\]*)*)'/gs;
/** A string at the end of a line, behind the name of what it is: `msg="..."`, `"stack": "..."`. */
const NAMED =
  /^(.{0,400}?[=:>(,]\s{0,4})b?(?:"([^"\\]*(?:\\.[^"\\]*)*)"|'([^'\\]*(?:\\.[^'\\]*)*)')[\])},;/>]{0,8}(?:\s{1,2}[\w.]{1,32}=[^\s="]{1,64}){0,8}\s{0,4}$/s;
/** Line ends as escapes. */
const ESCAPED_ENDS = /\\r?\\n|\\n/;
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))/gs;
const CHARACTERS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '', f: '', e: '\x1b' };
/** What is in a string must be of the kernel, if other things are in the line. */
const OF_KERNEL =
  /\+0x[0-9a-f]{1,8}\/0x|\bCall [Tt]race:|\[<[0-9a-f]{1,16}>\]|blocked for more than|\btask:.{1,64} state:/;
const LONGEST = 256 * 1024;
/** A name is looked for at many places. */
const LONGEST_NAMED = 64 * 1024;

/** The text of the strings in a line that is nothing else, or that has stacks in a string; undefined for others. */
export function literalText(line: string): string | undefined {
  if (line.length > LONGEST) return undefined;
  const hasEnds = line.includes('\\n') && ESCAPED_ENDS.test(line);
  if (!hasEnds && !LAST.has(lastCode(line)) && !line.endsWith('/>')) return undefined;
  const whole = WHOLE.exec(line);
  if (whole !== null)
    return contentOf(
      whole[1],
      whole.slice(2).find((each) => each !== undefined),
    );
  if (STRINGS.test(line) && LIST.test(line))
    return [...line.matchAll(ITEM)].map(([, double, single]) => contentOf(double, single)).join('\n');
  const list = STRINGS.test(line) ? LISTED.exec(line)?.[1] : undefined;
  if (list !== undefined && ofKernel.test(list))
    return [...list.matchAll(ITEM)].map(([, double, single]) => contentOf(double, single)).join('\n');
  if (!hasEnds) return namedText(line);
  // What stands before the first string may be its title.
  const [, before = '', double, single] = line.length > LONGEST_NAMED ? [] : (NAMED.exec(line) ?? []);
  const text = double ?? single;
  if (text !== undefined && ESCAPED_ENDS.test(text)) return `${titleIn(before)}${unescaped(text)}`;
  const longest = longestIn(line);
  if (longest !== undefined) return longest;
  return OF_KERNEL.test(line) || line.split(ESCAPED_ENDS).length > 3 ? unescaped(line) : undefined;
}

/** Whether a line is nothing but the key of the string that follows, as PHP's var_dump() shows it. */
export function isKeyAlone(line: string): boolean {
  return line.endsWith(']=>') && KEY.test(line);
}

const KEY = /^\s{0,80}\[(?:\d{1,7}|"[^"]{1,64}")\]=>$/;

/** The last character that is no blank. */
export function lastCode(line: string): number {
  let at = line.length - 1;
  while (at > 0 && isBlank(line.charCodeAt(at))) at--;
  return line.charCodeAt(at);
}

/** The first one. */
export function firstCode(line: string): number {
  let at = 0;
  while (at < line.length && isBlank(line.charCodeAt(at))) at++;
  return line.charCodeAt(at);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9 || code === 13;
}

/** The string that is most of a line, and has line ends: programs show other values beside it. */
function longestIn(line: string): string | undefined {
  if (line.length > LONGEST_NAMED) return undefined;
  let longest = '';
  for (const [, double, single] of line.matchAll(ITEM)) {
    const text = double ?? single ?? '';
    if (text.length > longest.length) longest = text;
  }
  return 2 * longest.length > line.length && ESCAPED_ENDS.test(longest) ? unescaped(longest) : undefined;
}

function namedText(line: string): string | undefined {
  if (line.length > LONGEST_NAMED || !OF_KERNEL.test(line)) return undefined;
  const [, , double, single] = NAMED.exec(line) ?? [];
  const text = double ?? single;
  return text !== undefined && OF_KERNEL.test(text) ? unescaped(text) : undefined;
}

function titleIn(before: string): string {
  const title = before.replace(/[\w"']{1,40}"?\s?[=:]\s?$/, '').trim();
  return title === '' ? '' : `${title}\n`;
}

function contentOf(double: string | undefined, single: string | undefined): string {
  return double === undefined ? unescaped((single ?? '').replaceAll("''", "'")) : unescaped(double);
}

function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(ESCAPE, (whole, unicode?: string, hex?: string, character?: string) => {
    const code = unicode ?? hex;
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    return CHARACTERS[character ?? ''] ?? (/[\w]/.test(character ?? '') ? whole : (character ?? ''));
  });
}
