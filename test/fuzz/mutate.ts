import type { Random } from './random.ts';

/** What a program that reads text may stumble over. */
const TOKENS = [
  '99999999999999999999',
  '-1',
  '1e308',
  '9007199254740993',
  '4294967296',
  '0x7fffffffffffffff',
  '0.1',
  'null',
  'NaN',
  '""',
  '{}',
  '[]',
  '"',
  '\\',
  '\\u0000',
  '\\ud800',
  '\x1b[2J',
  '\x1b]0;x\x07',
  '\u202e',
  '\u2066',
  '\u009b31m',
  '\0',
  '\r',
  '\n',
  '\n\n',
  '\t',
  ' '.repeat(200),
  'zzz <Thu Nov 26 03:12:00 UTC 2026 - h',
  'PID:     1   State:  D   Start Time: 2026/11/26 03:12:00   Cmd: x',
  'Call Trace:\n',
  ' schedule+0x1/0x2\n',
  '[<0>] do_wait+0x15c/0x2e0\n',
  'INFO: task x:1 blocked for more than 122 seconds.\n',
  '{"format":"kstack-recording","version":1,"segment":0}\n',
  '{"sample":0}\n',
  '__proto__',
  'constructor',
];
const NESTS = ['[', '{"a":', '[{"a":[', '(', '<b>', '{"frames":['];
/** Most are small, so that there can be many. */
const MOST_BYTES = [1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16, 1 << 17, 1 << 20];

const MOST_REPEATED_BYTES = 1 << 18;

type Mutation = (bytes: Buffer, random: Random, others: readonly Buffer[]) => Buffer;

const splice = (bytes: Buffer, at: number, gone: number, ...put: readonly Uint8Array[]) =>
  Buffer.concat([bytes.subarray(0, at), ...put, bytes.subarray(at + gone)]);

/** Where a line begins, near a random place. */
function lineStart(bytes: Buffer, random: Random): number {
  return bytes.lastIndexOf(10, random.below(bytes.length + 1)) + 1;
}

function lineEnd(bytes: Buffer, from: number): number {
  const end = bytes.indexOf(10, from);
  return end === -1 ? bytes.length : end + 1;
}

const MUTATIONS: readonly Mutation[] = [
  /** Flips bits. */
  (bytes, random) => {
    const flipped = Buffer.from(bytes);
    for (let left = 1 + random.small(16); left > 0 && flipped.length > 0; left--) {
      const at = random.below(flipped.length);
      flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << random.below(8)), at);
    }
    return flipped;
  },
  /** Cuts off the end, or the beginning. */
  (bytes, random) => {
    const at = random.below(bytes.length + 1);
    return random.below(4) === 0 ? bytes.subarray(at) : bytes.subarray(0, at);
  },
  /** Takes a piece out. */
  (bytes, random) => splice(bytes, random.below(bytes.length + 1), random.small(bytes.length)),
  /** Puts a piece elsewhere once more. */
  (bytes, random) => {
    const from = random.below(bytes.length + 1);
    const piece = bytes.subarray(from, from + random.small(bytes.length));
    return splice(bytes, random.below(bytes.length + 1), 0, piece);
  },
  /** Repeats lines many times. */
  (bytes, random) => {
    const from = lineStart(bytes, random);
    const line = bytes.subarray(from, lineEnd(bytes, from));
    const times = Math.min(1 + random.small(3000), Math.floor(MOST_REPEATED_BYTES / Math.max(1, line.length)));
    return splice(bytes, from, 0, ...Array.from({ length: times }, () => line));
  },
  /** Exchanges two lines. */
  (bytes, random) => {
    const [one, two] = [lineStart(bytes, random), lineStart(bytes, random)].sort((a, b) => a - b);
    if (one === undefined || two === undefined || one === two) return bytes;
    const [ends, later] = [lineEnd(bytes, one), lineEnd(bytes, two)];
    return Buffer.concat([
      bytes.subarray(0, one),
      bytes.subarray(two, later),
      bytes.subarray(ends, two),
      bytes.subarray(one, ends),
      bytes.subarray(later),
    ]);
  },
  /** Puts a piece of another file in. */
  (bytes, random, others) => {
    const other = random.of(others);
    const from = random.below(other.length + 1);
    return splice(
      bytes,
      random.below(bytes.length + 1),
      random.below(2) * random.small(bytes.length),
      other.subarray(from, from + random.small(other.length)),
    );
  },
  /** Puts in what is hard to read. */
  (bytes, random) => splice(bytes, random.below(bytes.length + 1), random.small(4), Buffer.from(random.of(TOKENS))),
  /** Exchanges a number for another one. */
  (bytes, random) => {
    const text = bytes.toString('latin1');
    const numbers = [...text.slice(0, 100_000).matchAll(/\d+/g)];
    if (numbers.length === 0) return bytes;
    const { index, 0: number } = random.of(numbers);
    return splice(bytes, index, number.length, Buffer.from(random.of(TOKENS.slice(0, 8))));
  },
  /** Nests deeply. */
  (bytes, random) => {
    const nest = random.of(NESTS).repeat(1 + random.small(20_000));
    return splice(bytes, random.below(bytes.length + 1), 0, Buffer.from(nest));
  },
  /** A long line, or a long word. */
  (bytes, random) => {
    const filler = random.of(['a', ' ', '\t', '0', '\\', '"', 'x+0x1/0x2 ', '?', '\u202e', ';', 'f<', '\0']);
    return splice(bytes, random.below(bytes.length + 1), 0, Buffer.from(filler.repeat(random.small(60_000))));
  },
];

/** The bytes after some mutations. */
export function mutated(bytes: Buffer, random: Random, others: readonly Buffer[]): Buffer {
  const most = MOST_BYTES[random.below(1 + random.small(MOST_BYTES.length))] ?? 0;
  let result = bytes;
  for (let left = 1 + random.small(6); left > 0; left--)
    result = random.of(MUTATIONS)(result, random, others).subarray(0, most);
  return result;
}
