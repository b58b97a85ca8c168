import { mayBeChain } from '../forms/chains.ts';
import { bodyOf } from './prefix.ts';

/** A function alone in its line, as bcc(8) and bpftrace(8) print it, also behind an address. */
const ALONE =
  /^[\s>|•*-]{0,60}(?:\d{1,3}[.)] {1,4})?(?:b')?(?:[0-9a-f]{16} )?[a-z_][\w.$]*(?:\+\d+|\(\))?'?(?: \[[\w-]+\])?\s*$/;

/** The task that bcc(8) names behind its stacks. */
const BEHIND = /^\s{0,8}-\s{1,40}\S/;

/** A PID and a name or a state, as in tables of ps(1), perhaps behind numbers of other columns. */
const ROW = /^\s{0,12}(?:\S{1,32}\s{1,12})?\d{1,10}:?\s{1,12}(?:[\d.,:%?-]{1,24}\s{1,12}){0,8}[A-Za-z]/;

/**
 * Whether a line may be a frame, or a header that may stand far before its stack. A log has millions of lines that are
 * neither, so this must be cheap, and may be wrong only about lines that are none.
 */
export function hasSign(line: string): boolean {
  return (
    line.includes('+0x') ||
    line.includes('[<') ||
    line.includes('PID: ') ||
    line.includes('omm: ') ||
    line.includes('=> ') ||
    line.includes('.c:') ||
    line.includes(' ([') ||
    line.includes('vmlinu') ||
    line.includes('ptrval') ||
    line.includes(' at ffff') ||
    line.includes('WCHAN') ||
    line.includes('wchan') ||
    line.includes('task:') ||
    line.includes(' blocked ') ||
    line.includes(" can't die ") ||
    line.includes(' <- ') ||
    line.includes('()->') ||
    line.includes('>{') ||
    line.includes('0xffff') ||
    line.includes('soft lockup') ||
    line.includes('.h:') ||
    line.includes('zzz <') ||
    line.includes('Call Trace:') ||
    line.includes('Call trace:') ||
    (line.includes('#') && /#\d{1,4}\s/.test(line)) ||
    line.includes('.ko') ||
    (line.includes('0x') && /(?:^|\s)0x[0-9a-f]{8,16} \w/.test(line)) ||
    ALONE.test(line) ||
    (line.endsWith(')') && BEHIND.test(line)) ||
    endsIndented(line) ||
    (line.includes('schedule') && /[<>→⇒←⇐]/.test(line)) ||
    mayBeChain(line) ||
    (line.includes('_') && ROW.test(line))
  );
}

/** Whether a function, perhaps with a decimal offset, ends the line, further in than anything before it. */
function endsIndented(line: string): boolean {
  let at = line.length - 1;
  let hasUnderscore = false;
  for (let code = line.charCodeAt(at); isOfName(code); code = line.charCodeAt(--at))
    hasUnderscore ||= code === 95 || code === 43;
  return hasUnderscore && isBlank(line.charCodeAt(at)) && isBlank(line.charCodeAt(at - 1));
}

function isOfName(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === 95 || code === 43;
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

/** A line of a log: a header, a mark or a note about the stack that follows has one of these. */
const NEAR_SIGN = new RegExp(
  [
    'race|task|state|STATE|jiffies|LOCKUP|heartbeat|soft_mask',
    String.raw`[PTpt][Ii][Dd]\b`,
    String.raw`\bat:?\s*$`,
    String.raw`\/proc\/|\s(?:\?|pts\/\d+)\s*$`,
    'located|reed |---|->|<',
    String.raw`prio=|CPU ?\d{1,4}:\s*$|RIP|\bpc\b|NIP|PSW`,
    String.raw`[0-9a-f]{16}\s*$|\s\d+\s+\d+\s+0x[0-9a-f]{8}\s*$`,
    String.raw`[\s\]][A-Ztx]\s{0,10}(?:\d|\[?[\da-fA-F]{8}|run|\(|$)`,
  ].join('|'),
);
/** A stamp of the kernel or of a log daemon. */
const LOGGED = /^(?:\[ {0,12}\d{1,12}[^\d\]]|\w{3} {1,2}\d{1,2} \d\d:\d\d:|\d{4}-\d\d-\d\d[T ])/;

/** Whether a line may say whose stack follows soon. Anything may, but for most lines of a log. */
export function isNear(line: string): boolean {
  return !LOGGED.test(line) || hasNearSign(line) || (!line.includes(' kernel') && bodyOf(line).isOutput);
}

/** The same for the text of a line of a log. */
export function hasNearSign(text: string): boolean {
  return NEAR_SIGN.test(text);
}

/** What is printed directly before a stack is within so many lines: headers, raw memory, prompts, titles. */
const MOST = 24;

/** The latest lines that were not read because nothing showed that a stack was near. */
export class Skipped {
  #lines: string[] = [];
  #at = 0;
  /** The latest line before those, as it may have the stamp that they lack. */
  #before: string | undefined;

  add(line: string): void {
    const { length } = this.#lines;
    if (length < MOST) {
      this.#lines.push(line);
      return;
    }
    const oldest = this.#lines[this.#at] ?? '';
    if (oldest !== '' && !oldest.startsWith(' ')) this.#before = oldest;
    this.#lines[this.#at] = line;
    this.#at = (this.#at + 1) % MOST;
  }

  /** The lines, oldest first. Forgets them. */
  take(): string[] {
    const lines = [...this.#lines.slice(this.#at), ...this.#lines.slice(0, this.#at)];
    if (this.#before !== undefined) lines.unshift(this.#before);
    this.#lines = [];
    this.#at = 0;
    this.#before = undefined;
    return lines;
  }
}
