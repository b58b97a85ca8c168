import { StringDecoder } from 'node:string_decoder';

const ENCODING = /^content-transfer-encoding:\s{0,8}base64\s{0,8}$/i;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}\s{0,4}$/;
const GROUP = 4;
/** Consoles of cloud providers have no head. */
const SHORTEST_ALONE = 60;
const TEXT = /^[\t\r\n -~]+$/;
const LONGEST_LINE = 64 * 1024;

function isLetterC(code: number): boolean {
  return code === 67 || code === 99;
}

/** Whether a line that stands alone is base64, and what is in it a text: by chance, a word has other bytes. */
function isEncodedText(line: string): boolean {
  return line.length % GROUP === 0 && BASE64.test(line) && TEXT.test(Buffer.from(line, 'base64').toString('latin1'));
}

/** Reads parts of a mail that are encoded in base64 (RFC 2045): texts of some languages, and attached logs. */
export class Base64Parts {
  #isIn: 'head' | 'body' | undefined;
  #decoder = new StringDecoder('utf8');
  #digits = '';
  #text = '';

  /** Takes the next line. Returns the lines that are encoded in it; undefined if it is of no such part. */
  take(line: string): readonly string[] | undefined {
    if (this.#isIn === undefined) {
      if (isLetterC(line.charCodeAt(0)) && ENCODING.test(line)) this.#isIn = 'head';
      if (line.length < SHORTEST_ALONE || !isEncodedText(line)) return undefined;
      this.#isIn = 'body';
      return this.#decoded(line.trim());
    }
    if (line.trim() === '') {
      if (this.#isIn === 'body') return this.#text === '' && this.#digits === '' ? [] : this.end();
      this.#isIn = 'body';
      return [];
    }
    if (this.#isIn === 'head') return undefined;
    if (BASE64.test(line)) return this.#decoded(line.trim());
    return [...this.end(), line];
  }

  /** The last line, which may have no end. */
  end(): readonly string[] {
    const rest = this.#text + this.#decoder.end();
    this.#isIn = undefined;
    this.#digits = '';
    this.#text = '';
    return rest === '' ? [] : [rest];
  }

  #decoded(line: string): readonly string[] {
    const digits = this.#digits + line;
    const whole = digits.length - (digits.length % GROUP);
    this.#digits = digits.slice(whole);
    const decoded = this.#decoder.write(Buffer.from(digits.slice(0, whole), 'base64'));
    if (!decoded.includes('\n') && this.#text.length < LONGEST_LINE) {
      this.#text += decoded;
      return [];
    }
    const lines = `${this.#text}${decoded}`.split(/\r?\n/);
    this.#text = lines.pop() ?? '';
    if (this.#text.length < LONGEST_LINE) return lines;
    lines.push(this.#text);
    this.#text = '';
    return lines;
  }
}
