/** What a terminal sends when a key is pressed: one character, or the name of a key. */
export type Key = string;

const NAMES: Readonly<Record<string, Key>> = {
  '\x1b[A': 'up',
  '\x1b[B': 'down',
  '\x1b[C': 'right',
  '\x1b[D': 'left',
  '\x1bOA': 'up',
  '\x1bOB': 'down',
  '\x1bOC': 'right',
  '\x1bOD': 'left',
  '\x1b[H': 'home',
  '\x1b[F': 'end',
  '\x1bOH': 'home',
  '\x1bOF': 'end',
  '\x1b[1~': 'home',
  '\x1b[4~': 'end',
  '\x1b[7~': 'home',
  '\x1b[8~': 'end',
  '\x1b[5~': 'page-up',
  '\x1b[6~': 'page-down',
  '\x1b': 'escape',
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x7f': 'backspace',
  '\b': 'backspace',
  '\x03': 'ctrl-c',
  '\x0c': 'ctrl-l',
  '\x15': 'ctrl-u',
  '\x1a': 'ctrl-z',
};

/** A control sequence (ECMA-48, 5.4), a key of the keypad, a mouse report of SGR mode, or one character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it reads
const SEQUENCE = /^(?:\x1b\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]|\x1bO[\x40-\x7e]|[^\x1b])/u;
/** What may be the beginning of a longer sequence. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it reads
const PART = /^\x1b(?:O?|\[[\x30-\x3f]*[\x20-\x2f]*)$/;
/** xterm's mouse reports in SGR mode: 64 and 65 are the wheel. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it reads
const MOUSE = /^\x1b\[<(\d{1,3});\d{1,5};\d{1,5}[Mm]$/;
const WHEEL: Readonly<Record<string, Key>> = { 64: 'wheel-up', 65: 'wheel-down' };
/** A longer one is no key. */
const MOST_PENDING = 64;

/** Turns what a terminal sends into keys. A sequence may come in pieces. */
export class KeyDecoder {
  #pending = '';

  /** The keys that are complete with this piece. Sequences that stand for no known key are dropped. */
  push(piece: string): Key[] {
    let rest = this.#pending + piece;
    this.#pending = '';
    const keys: Key[] = [];
    while (rest !== '') {
      if (PART.test(rest) && rest.length < MOST_PENDING) {
        this.#pending = rest;
        break;
      }
      const sequence = SEQUENCE.exec(rest)?.[0] ?? '\x1b';
      rest = rest.slice(sequence.length);
      const key = keyOf(sequence);
      if (key !== undefined) keys.push(key);
    }
    return keys;
  }

  /** Whether something came that may be a key by itself or the beginning of one. */
  get isPending(): boolean {
    return this.#pending !== '';
  }

  /** Nothing has followed for a while: it was the key by itself. */
  flush(): Key[] {
    const pending = this.#pending;
    this.#pending = '';
    return pending === '\x1b' ? ['escape'] : [];
  }
}

function keyOf(sequence: string): Key | undefined {
  const named = NAMES[sequence];
  if (named !== undefined) return named;
  const button = MOUSE.exec(sequence)?.[1];
  if (button !== undefined) return WHEEL[button];
  const code = sequence.codePointAt(0) ?? 0;
  return code < 0x20 || (code >= 0x7f && code < 0xa0) ? undefined : sequence;
}
