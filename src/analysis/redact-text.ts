/** What a stand-in is for. */
export type Kind =
  | 'argument'
  | 'path'
  | 'user'
  | 'host'
  | 'server'
  | 'address'
  | 'group'
  | 'device'
  | 'resource'
  | 'value';

const IPV4 = /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)/g;
/** More than two colons, or two together: times have two. Addresses of network cards look alike. */
const IPV6 =
  /(?<![\w:])(?:(?:[\da-f]{1,4}:){3,7}[\da-f]{1,4}|(?=[\da-f:]*::)(?:[\da-f]{0,4}:){2,7}[\da-f]{0,4})(?![\w:])/gi;
const MAIL = /[^\s@<>"]+@[^\s@<>"]+/g;
/** A number, as the kernel prints it beside another one. */
const NUMBER = String.raw`(?:0x[\da-f]+|\d+)`;

/** What a slash that begins no path has before it and behind it. */
const NO_PATHS: readonly (readonly [before: RegExp, from: RegExp])[] = [
  // do_wait+0x15c/0x2e0
  [/\+0x[\da-f]+$/, /^\/0x[\da-f]+(?![\w/])/],
  // </TASK>
  [/<$/, /^\/#?[A-Z]{2,8}>/],
  // I/O error, blocked in I/O wait
  [/(?:^|[^\w/])I$/, /^\/O(?![\w/])/],
  // Kernel threads and workqueues
  [
    /(?:^|[^\w/])(?:kworker|ksoftirqd|ktimers|migration|watchdog|cpuhp|swapper|jbd2|irq|rcu\w*|idle_inject|kdmflush|dio|xfsaild|xfs-\w+)$/,
    /^\/[\w:.+>-]*/,
  ],
  // 2026/11/27, softirq=12/13, idle=8b2c/1/0x4000000000000000, and RCU's l=1:0-13:0x2c/.
  [
    new RegExp(String.raw`(?:(?:^|[\s=({:,#])${NUMBER}|\bidle=[\da-f]+)(?:/${NUMBER})*$`),
    new RegExp(String.raw`^/(?:${NUMBER}|[.T])(?=[\s),;:/]|$)`),
  ],
  // Lock validator: "1 lock held by sh/712:", and a class of locks with its subclass, (&rq->__lock/1){-.-.}
  [/\blocks? held by .{1,64}$/, /^\/\d+:$/],
  [/ \([^\s/]*$/, /^\/\d\)\{/],
  // What kstack reads of the kernel names no file of anybody.
  [/^/, /^\/proc(?:\/(?:\d+|self|PID|TID|task|fd|fdinfo|[a-z_]+))*(?= |,|:|$)/],
];
/** What stands before a slash is looked at so far back: a line may have thousands of them. */
const MOST_BEFORE = 200;

/** Where a slash ends that begins no path, with what belongs to it; undefined for a path. */
function endOfNoPath(text: string, slash: number): number | undefined {
  const before = text.slice(Math.max(0, slash - MOST_BEFORE), slash);
  const rest = text.slice(slash, slash + MOST_BEFORE);
  for (const [isBefore, from] of NO_PATHS) {
    const kept = from.exec(rest);
    if (kept !== null && isBefore.test(before)) return slash + kept[0].length;
  }
  return undefined;
}

/** Of all texts that have a word of their own. A stream may go on for weeks. */
const MOST_CHARACTERS = 64 << 20;

/** Words that stand for what is left out. The same text always has the same one. */
export class Stand {
  readonly #words = new Map<string, string>();
  readonly #counts = new Map<Kind, number>();
  #left: number;

  /** @param characters of texts that have a word of their own; those beyond share one */
  constructor(characters = MOST_CHARACTERS) {
    this.#left = characters;
  }

  for(kind: Kind, text: string): string {
    const key = `${kind} ${text}`;
    let word = this.#words.get(key);
    if (word === undefined) {
      this.#left -= key.length;
      if (this.#left < 0) return `${kind}-more`;
      const count = (this.#counts.get(kind) ?? 0) + 1;
      this.#counts.set(kind, count);
      word = `${kind}-${count}`;
      this.#words.set(key, word);
    }
    return word;
  }

  /** A name of a task, which stays but for an address in it: threads of NFS are named after their server. */
  name(text: string): string {
    const address = (found: string) => this.for('address', found);
    return text.replace(IPV4, address).replace(IPV6, address);
  }

  /**
   * A sentence of the kernel or of kstack. A path may have spaces in it, so what stands behind its beginning goes with
   * it, up to the end of the text.
   */
  text(text: string): string {
    let from = 0;
    for (;;) {
      const slash = text.indexOf('/', from);
      if (slash === -1) break;
      const end = endOfNoPath(text, slash);
      if (end !== undefined) {
        from = end;
        continue;
      }
      // The word with the slash in it goes, too: HOST:/export.
      const start = Math.max(text.lastIndexOf(' ', slash), text.lastIndexOf('=', slash)) + 1;
      return this.#named(text.slice(0, start)) + this.for('path', text.slice(start));
    }
    return this.#named(text);
  }

  #named(text: string): string {
    return this.name(text.replace(MAIL, (found) => this.for('address', found)));
  }
}

/** What is between numbers and constants. */
const BETWEEN = /[\s,|(){}[\]=]+/;
const PLAIN = /^(?:\.\.\.|[A-Z_][A-Z\d_]*|0x[\da-f]+|-?\d+(?:\.\d+)?(?:ms|us|ns|s)?)?$/;

/** Word by word: one expression for all of them would try every way to divide them. */
function isPlain(text: string): boolean {
  return text.split(BETWEEN).every((word) => PLAIN.test(word));
}

/**
 * A system call with its numbers and constants only: all between the first and the last name, text or description of a
 * file in it is one word. Undefined if anything else is left.
 */
export function wordsLeft(text: string, stand: Stand): string | undefined {
  const [, name = '', given = ''] = /^([a-z_][\w ]*)\((.*)\)$/s.exec(text) ?? [];
  if (name === '') return undefined;
  const from = given.search(/[<"]/);
  if (from === -1) return isPlain(given) ? text : undefined;
  const to = Math.max(given.lastIndexOf('>'), given.lastIndexOf('"'), from) + 1;
  const [before, after] = [given.slice(0, from), given.slice(to)];
  if (!isPlain(before) || !isPlain(after)) return undefined;
  return `${name}(${before}<${stand.for('value', given.slice(from, to))}>${after})`;
}
