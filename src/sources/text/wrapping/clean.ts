// What pages, mails, terminals and log daemons put into a line without saying anything by it.

/** Characters that all of what follows here have one of. Most lines have none. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const SIGN = /[\x00\x08\x1b\r\u00a0\udca0\ufeff\u200b-\u200f\u202a-\u202e\u2060-\u2069&\\#^<=]/;
/** Anything of it. */
const ANY =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  /[\x00\x08\x1b\r\u00a0\udca0\ufeff\u200b-\u200f\u202a-\u202e\u2060-\u2069]|&[a-z#]|\\[\\<>[\]_*x]|#0\d\d|\^\[\[|<\/?[a-z]|=\w\w/i;
/** Colours of dmesg and journalctl, as they are, and as `cat -v` and rsyslog show them; titles, and times of CI systems. */
const ESCAPES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  /(?:\x1b|\^\[|#033|\\x1b|\\033)(?:\[[\d;?]{0,20}[A-Za-z]|\([A-Z0-9]|[\]_][^\x07\x1b]{0,400}(?:\x07|\x1b\\))/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROLS = /[\x00\x08\ufeff\u200b-\u200f\u202a-\u202e\u2060-\u2069]/g;
/** Colours without their first character, which forms of trackers drop: in a line that has the one that ends them. */
const BARE_COLOURS = /\[(?:\d{1,3}(?:;\d{1,3}){0,6})m/g;
const BARE_END = '[0m';
/** A serial console may end lines in either way, and puts the cursor back to the start of a line. */
const RETURNS = /\r+$/;
/** The second one is the first in Windows-1252: a byte that is no UTF-8 comes as a lone surrogate (see decodeBytes). */
const BLANKS = /\u00a0|(?<![\ud800-\udbff])\udca0|#011|\\x09|\\x0a/g;
const TAGS =
  /<\/?(?:br|p|pre|code|div|span|td|th|tr|li|ul|ol|font|b|i|em|tt|a|samp|body|html|table|o:p)(?: [^<>]{0,200})?\/?>/gi;
const MARKDOWN = /\\([<>[\]_*\\])/g;
const ENTITIES = /&(?:(lt|gt|amp|quot|apos|nbsp)|#(\d{1,5})|#x([0-9a-f]{1,4}));/gi;
const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'", nbsp: ' ' };
/** Quoted-printable (RFC 2045), as far as lines of stacks need it. */
const QUOTED = /=(?:C2=A0|A0|(20|09|3D|2B|5B|5D|3C|3E|2E))/g;
/** Only a quoted-printable text has it, in UTF-8 or Latin 1: an excerpt may lack a line that was broken. */
const QUOTED_BLANK = /=C2=A0|^[> ]{0,20}=A0/;

const [TAB, BLANK] = [9, 32];

/** The line without colours, markup and entities. `quoted`: the text is quoted-printable. */
export function cleaned(written: string, quoted: boolean): string {
  const last = written.charCodeAt(written.length - 1);
  // Terminals, tables and Markdown pad lines.
  const trimmed = last === BLANK || last === TAB ? written.trimEnd() : written;
  const line = trimmed.includes(BARE_END) ? trimmed.replace(ESCAPES, '').replace(BARE_COLOURS, '') : trimmed;
  if (!SIGN.test(line) || !ANY.test(line)) return line;
  const decoded =
    quoted || QUOTED_BLANK.test(line)
      ? line.replace(QUOTED, (_, code?: string) => (code === undefined ? ' ' : character(code, 16)))
      : line;
  return decoded
    .replace(ESCAPES, '')
    .replace(CONTROLS, '')
    .replace(RETURNS, '')
    .replace(TAGS, '')
    .replace(ENTITIES, (whole, name?: string, decimal?: string, hex?: string) => {
      if (name !== undefined) return NAMED[name.toLowerCase()] ?? whole;
      return decimal === undefined ? character(hex ?? '', 16) : character(decimal, 10);
    })
    .replace(MARKDOWN, '$1')
    .replace(BLANKS, ' ');
}

/** Whether `cat -n` has numbered a line that is empty. */
export const isNumberedBlank = (line: string): boolean => line.endsWith('\t') && /^ {0,5}\d{1,6}\t$/.test(line);

/** The line without colours and other sequences for a terminal. */
export function withoutColours(line: string): string {
  return line.includes('\x1b') ? line.replace(ESCAPES, '') : line;
}

function character(digits: string, base: number): string {
  const code = Number.parseInt(digits, base);
  return code < 32 || code === 0xa0 ? ' ' : String.fromCharCode(code);
}

/** Mail programs break lines of quoted-printable at 76 characters. */
const SOFT_BREAK_LENGTH = 60;

/** A text that had a soft break is taken for quoted-printable for so many lines. */
const QUOTED_LINES = 200;
const LONGEST = 4096;

/** Joins the lines that quoted-printable has broken. */
export class QuotedPrintable {
  #beginning = '';
  #lines = 0;

  /** Whether the text is quoted-printable here. */
  get isOn(): boolean {
    return this.#lines > 0;
  }

  /** The whole line; undefined if the next one continues it. */
  take(line: string): string | undefined {
    if (this.#lines > 0) this.#lines--;
    if (hasSoftBreak(line) && this.#beginning.length < LONGEST) {
      this.#lines = QUOTED_LINES;
      this.#beginning += line.slice(0, -1);
      return undefined;
    }
    return this.#beginning === '' ? line : this.end() + line;
  }

  /** What the last line was to continue. */
  end(): string {
    const beginning = this.#beginning;
    this.#beginning = '';
    return beginning;
  }
}

/** A line without blanks is base64, and a task of kstack may be called so. */
function hasSoftBreak(line: string): boolean {
  if (!line.endsWith('=') || line.endsWith('==') || line.startsWith('PID:') || !line.includes(' ')) return false;
  return line.length >= SOFT_BREAK_LENGTH || / =$|=[0-9A-F]{2}/.test(line);
}
