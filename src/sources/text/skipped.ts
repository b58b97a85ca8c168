/** A function alone in its line, as bcc(8) and bpftrace(8) print it, also behind an address. */
const ALONE = /^[\s>|•*-]{0,60}(?:b')?(?:[0-9a-f]{16} )?[a-z_][\w.$]*(?:\+\d+(?: \[[\w-]+\])?|\(\))?'?\s*$/;

/**
 * Whether a line may be a frame, or a header that may stand far before its stack. A log has millions of lines that are
 * neither, so this must be cheap, and may be wrong only about lines that are none.
 */
export function hasSign(line: string): boolean {
  return (
    line.includes('+0x') ||
    line.includes('[<') ||
    line.includes('PID') ||
    line.includes('omm: ') ||
    line.includes('=> ') ||
    line.includes('.c:') ||
    line.includes(' ([') ||
    line.includes('vmlinu') ||
    line.includes('ptrval') ||
    line.includes('WCHAN') ||
    line.includes(' <- ') ||
    line.includes('()->') ||
    line.includes('>{') ||
    line.includes('0xffff') ||
    line.includes('blocked on a') ||
    line.includes('soft lockup') ||
    line.includes('.h:') ||
    line.includes('zzz <') ||
    (line.includes('#') && /#\d{1,4}\s/.test(line)) ||
    (line.includes(' 0x') && / 0x[0-9a-f]{8,16} \w/.test(line)) ||
    ALONE.test(line)
  );
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
