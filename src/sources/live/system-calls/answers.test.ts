import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printPart } from './answers.ts';
import { type Answer, keyOf, type Question } from './question.ts';

/** Little-endian bytes: `i16(1)`, `i32(3)`, `i64(600)`. */
const i16 = (...values: number[]) => Buffer.from(new Int16Array(values).buffer);
const i32 = (...values: number[]) => Buffer.from(new Int32Array(values).buffer);
const i64 = (...values: number[]) => Buffer.from(new BigInt64Array(values.map(BigInt)).buffer);

const at = { kind: 'memory', address: 0x1000n } as const;

/** A question as it is printed with its answer, and with what is known of descriptors. */
function printAnswer(question: Question, answer: Answer, files: Readonly<Record<number, string>> = {}): string {
  return printPart(question, (asked) => {
    if (keyOf(asked) === keyOf(question)) return answer;
    return asked.kind === 'fd' ? files[asked.fd] : undefined;
  });
}

const show = (as: 'string' | 'sockaddr' | 'timespec' | 'timeval' | 'flock', bytes: Buffer, size = bytes.length) =>
  printAnswer({ ...at, as, bytes: size }, bytes);
const FILES = { 3: 'pipe:[77]', 5: '/a' };
const showPolled = (bytes: Buffer, count: number, files = {}) =>
  printAnswer({ ...at, as: 'pollfds', bytes: 8 * count, count }, bytes, files);
const showSelected = (bytes: Buffer, count: number, files = {}) =>
  printAnswer({ ...at, as: 'fdset', bytes: bytes.length, count }, bytes, files);

describe('a file descriptor', () => {
  it.each([
    ['/var/lib/db/wal', '3</var/lib/db/wal>'],
    [{ local: 'tcp 10.0.0.1:443', peer: '10.0.0.2:50000' }, '3<tcp 10.0.0.1:443 -> 10.0.0.2:50000>'],
    [{ local: 'unix @a\n', peer: '/b -> c>' }, '3<unix @a\\n -> /b -\\x3e c\\x3e>'],
    ['unix @a -> b', '3<unix @a -\\x3e b>'],
    ['/tmp/a\n>, "\\\u202e\udcff', '3</tmp/a\\n\\x3e, "\\\\\\u202e\\xff>'],
    ['/tmp/a->', '3</tmp/a-\\x3e>'],
    [Buffer.of(0x61, 0xff), '3<a\\xff>'],
    [undefined, '3'],
  ])('is shown with what it refers to: %j', (answer, text) => {
    expect(printAnswer({ kind: 'fd', fd: 3 }, answer)).toBe(text);
  });
});

describe('a text', () => {
  it.each([
    ['quotes and backslashes', Buffer.from('a"\\\0'), '"a\\"\\\\"'],
    ['controls', Buffer.from('\n\r\t\x1b[2J\x7f\0'), '"\\n\\r\\t\\x1b[2J\\x7f"'],
    ['controls beyond ASCII, which are not bytes', Buffer.from('\u009b\0'), '"\\u009b"'],
    ['bytes that are not UTF-8', Buffer.of(0x61, 0x9b, 0xff, 0), '"a\\x9b\\xff"'],
    ['what turns the direction', Buffer.from('\u202e\u2066\0'), '"\\u202e\\u2066"'],
    ['what does not show', Buffer.from('\u200b\u2028\u2029\u{e0041}\0'), '"\\u200b\\u2028\\u2029\\u{e0041}"'],
    ['what reads as it is', Buffer.from('naïve 日本 😀\0'), '"naïve 日本 😀"'],
    ['nothing', Buffer.of(0), '""'],
    ['nothing of what stands behind its end', Buffer.from('/a\0/b'), '"/a"'],
    ['three dots where it has no end in what was read', Buffer.from('/very/long'), '"/very/long"...'],
  ])('is shown with %s', (_, bytes, text) => {
    expect(show('string', bytes, 4096)).toBe(text);
  });

  it('that cannot be read is shown by its address', () => {
    expect(show('string', Buffer.of(), 4096)).toBe('0x1000');
    expect(printAnswer({ ...at, as: 'string', bytes: 4096 }, undefined)).toBe('0x1000');
  });
});

describe('a path', () => {
  const showPath = (from: 'AT_FDCWD' | 'nothing', path: string | undefined, cwd: string | undefined) =>
    printPart({ ...at, as: 'path', from, bytes: 4096 }, ({ kind }) =>
      kind === 'cwd' ? cwd : path && Buffer.from(path),
    );

  it.each([
    ['wal/1\0', '/var/lib/db', 'AT_FDCWD</var/lib/db>, "wal/1"', '"wal/1" in </var/lib/db>'],
    ['/wal/1\0', '/var/lib/db', 'AT_FDCWD, "/wal/1"', '"/wal/1"'],
    ['\0', '/var/lib/db', 'AT_FDCWD</var/lib/db>, ""', '"" in </var/lib/db>'],
    ['wal/1', '/var/lib/db', 'AT_FDCWD</var/lib/db>, "wal/1"...', '"wal/1"... in </var/lib/db>'],
    ['wal\0', '/a>, "\n', 'AT_FDCWD</a\\x3e, "\\n>, "wal"', '"wal" in </a\\x3e, "\\n>'],
    ['wal\0', undefined, 'AT_FDCWD, "wal"', '"wal"'],
    [undefined, '/var/lib/db', 'AT_FDCWD, 0x1000', '0x1000'],
  ])('that is relative is shown with the directory it starts from: %j', (path, cwd, below, alone) => {
    expect([showPath('AT_FDCWD', path, cwd), showPath('nothing', path, cwd)]).toEqual([below, alone]);
  });

  it('raises no question for the directory where it is absolute or not known', () => {
    for (const path of [Buffer.from('/a\0'), undefined]) {
      const asked: Question[] = [];
      printPart({ ...at, as: 'path', from: 'AT_FDCWD', bytes: 4096 }, (question) => {
        asked.push(question);
        return path;
      });
      expect(asked.map(({ kind }) => kind)).toEqual(['memory']);
    }
  });
});

describe('the address of a socket', () => {
  const port = Buffer.of(1, 0xbb);
  it.each([
    ['AF_INET', Buffer.concat([i16(2), port, Buffer.of(10, 0, 0, 1), i64(0)]), '{AF_INET 10.0.0.1:443}'],
    ['AF_INET6', Buffer.concat([i16(10), port, i32(0), i64(0x80fe, 0), i32(0)]), '{AF_INET6 [fe80::]:443}'],
    [
      'AF_INET6 with a scope',
      Buffer.concat([i16(10), port, i32(0), i64(0x80fe, 0), i32(2)]),
      '{AF_INET6 [fe80::%2]:443}',
    ],
    [
      'AF_INET6 from before there were scopes',
      Buffer.concat([i16(10), port, i32(0), i64(0, 0)]),
      '{AF_INET6 [::]:443}',
    ],
    ['AF_UNIX', Buffer.concat([i16(1), Buffer.from('/run/a\n\0rest')]), '{AF_UNIX "/run/a\\n"}'],
    ['AF_UNIX up to its last byte', Buffer.concat([i16(1), Buffer.from('/run/a')]), '{AF_UNIX "/run/a"}'],
    ['AF_UNIX with an abstract name', Buffer.concat([i16(1), Buffer.from('\0a\0b')]), '{AF_UNIX @"a\\x00b"}'],
    ['AF_UNIX without a name', i16(1), '{AF_UNIX}'],
    ['AF_NETLINK', Buffer.concat([i16(16, 0), i32(4711, 5)]), '{AF_NETLINK port 4711 groups 0x5}'],
    ['AF_VSOCK', Buffer.concat([i16(40, 0), i32(1024, 2), i32(0)]), '{AF_VSOCK 2:1024}'],
    ['another family', Buffer.concat([i16(29), i32(1)]), '{AF_CAN ...}'],
    ['a family without a name', i16(77), '{77}'],
    ['one that is too short', Buffer.concat([i16(2), port]), '{AF_INET ...}'],
    ['less than a family', Buffer.of(2), '0x1000'],
  ])('is shown by its family: %s', (_, bytes, text) => {
    expect(show('sockaddr', bytes)).toBe(text);
  });

  it('that is cut off is not taken for the whole', () => {
    expect(show('sockaddr', Buffer.concat([i16(1), Buffer.from('/run/very')]), 110)).toBe('{AF_UNIX ...}');
  });

  it('may have any bytes and any length', () => {
    const family = fc.constantFrom(1, 2, 10, 16, 29, 40).map((number) => i16(number));
    fc.assert(
      fc.property(family, fc.uint8Array({ maxLength: 130 }), fc.integer({ min: 1, max: 128 }), (family, rest, size) => {
        expect(show('sockaddr', Buffer.concat([family, rest]), size)).toMatch(/^(?:\{\w+(?: .*)?\}|0x1000)$/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('what poll waits for', () => {
  const polled = Buffer.concat([i32(3), i16(1, 0), i32(-1), i16(0x4005, 0)]);

  it('is shown with the events of each descriptor', () => {
    expect(showPolled(polled, 2)).toBe('[{3, POLLIN}, {-1, POLLIN|POLLOUT|0x4000}]');
  });

  it('is shown with what each descriptor refers to', () => {
    expect(showPolled(polled, 2, FILES)).toBe('[{3<pipe:[77]>, POLLIN}, {-1, POLLIN|POLLOUT|0x4000}]');
  });

  it('is shown by its first eight descriptors', () => {
    const many = Buffer.concat(Array.from({ length: 9 }, (_, fd) => Buffer.concat([i32(fd), i16(1, 0)])));
    const eight =
      '{0, POLLIN}, {1, POLLIN}, {2, POLLIN}, {3, POLLIN}, {4, POLLIN}, {5, POLLIN}, {6, POLLIN}, {7, POLLIN}';
    expect(showPolled(many, 8)).toBe(`[${eight}]`);
    expect(showPolled(many, 9)).toBe(`[${eight}, ...]`);
  });

  it('is shown as far as it could be read', () => {
    expect(showPolled(polled, 3)).toBe('[{3, POLLIN}, {-1, POLLIN|POLLOUT|0x4000}, ...]');
    expect(showPolled(polled.subarray(0, 15), 2)).toBe('[{3, POLLIN}, ...]');
    expect(showPolled(polled.subarray(0, 7), 2)).toBe('0x1000');
  });

  it('has no bytes in it that were not asked for', () => {
    expect(showPolled(polled, 1)).toBe('[{3, POLLIN}]');
  });
});

describe('what select waits for', () => {
  it('is shown up to the descriptor that it is told', () => {
    expect(showSelected(Buffer.of(0b0010_1001, 0xff), 10)).toBe('[0 3 5 8 9]');
    expect(showSelected(Buffer.of(0), 8)).toBe('[]');
  });

  it('is shown with what each descriptor refers to', () => {
    expect(showSelected(Buffer.of(0b0010_1001), 8, FILES)).toBe('[0 3<pipe:[77]> 5</a>]');
  });

  it('is shown by the first eight of them', () => {
    expect(showSelected(Buffer.of(0xff, 0), 16)).toBe('[0 1 2 3 4 5 6 7]');
    expect(showSelected(Buffer.of(0xff, 1), 16)).toBe('[0 1 2 3 4 5 6 7 ...]');
  });

  it('is shown as far as it could be read', () => {
    expect(showSelected(Buffer.of(0b0010_1001), 9)).toBe('[0 3 5 ...]');
  });
});

describe('a time', () => {
  it.each([
    ['timespec', i64(10, 0), '{10 s}'],
    ['timespec', i64(10, 500_000_000), '{10.5 s}'],
    ['timespec', i32(10, 1), '{10.000000001 s}'],
    ['timeval', i64(10, 250_000), '{10.25 s}'],
    ['timeval', i32(0, 1), '{0.000001 s}'],
    ['timespec', i64(-1, 5), '{-1 s, 5 ns}'],
    ['timespec', i64(1, -1), '{1 s, -1 ns}'],
    ['timespec', i64(1, 1_000_000_000), '{1 s, 1000000000 ns}'],
    ['timeval', i64(1, 1_000_000), '{1 s, 1000000 us}'],
  ] as const)('of type %s is shown in seconds where it makes sense', (as, bytes, text) => {
    expect(show(as, bytes)).toBe(text);
  });
});

describe('a structure of a fixed size', () => {
  it.each([
    [Buffer.concat([i16(1, 0, 0, 0), i64(100, 50, 0)]), '{F_WRLCK, SEEK_SET, start 100, length 50}'],
    [Buffer.concat([i16(0, 1), i32(-5, 6, 0)]), '{F_RDLCK, SEEK_CUR, start -5, length 6}'],
    [Buffer.concat([i16(2, 2), i64(5, -6), i32(0)]), '{F_UNLCK, SEEK_END, start 5, length -6}'],
  ])('is laid out as the task has it', (bytes, text) => {
    expect(show('flock', bytes)).toBe(text);
  });

  it.each(['timespec', 'timeval', 'flock'] as const)('is shown by its address where it is cut off: %s', (as) => {
    expect(show(as, Buffer.alloc(15), 16)).toBe('0x1000');
  });
});

describe('a set of signals', () => {
  const set = (...signals: number[]) => {
    const bytes = Buffer.alloc(8);
    for (const signal of signals)
      bytes[(signal - 1) >> 3] = (bytes[(signal - 1) >> 3] ?? 0) | (1 << ((signal - 1) & 7));
    return bytes;
  };
  const all = Array.from({ length: 64 }, (_, at) => at + 1);
  const showSet = (bytes: Buffer) => printAnswer({ ...at, as: 'sigset', bytes: 8 }, bytes);

  it.each([
    ['by its names', set(17, 2), '[INT CHLD]'],
    ['by numbers where there are no names', set(1, 32, 34, 64), '[HUP 32 34 64]'],
    ['as empty', set(), '[]'],
    [
      'by what is not in it, where that is less',
      set(...all.filter((each) => each !== 9 && each !== 19)),
      '~[KILL STOP]',
    ],
    ['by what is not in it, where nothing is not', set(...all), '~[]'],
    ['by its address where it is cut off', set(2).subarray(0, 7), '0x1000'],
  ])('is shown %s', (_, bytes, text) => {
    expect(showSet(bytes)).toBe(text);
  });

  it.each([
    ['of 64 bits', i64(0x2000, 8), '{[USR1], 8}'],
    ['of 32 bits', i32(0x2000, 8), '{[USR1], 8}'],
    ['of no set', i64(0, 8), '{NULL, 8}'],
    ['of a set of a size that there is not', i64(0x2000, 4), '{0x2000, 4}'],
    ['of a set of a size that there is not', i64(0x2000, -1), '{0x2000, 18446744073709551615}'],
    ['of a set that is not there', i64(0x3000, 8), '{0x3000, 8}'],
  ])('behind a pointer %s is shown with its size', (_, bytes, text) => {
    const shown = printPart({ ...at, as: 'sigsetpointer', bytes: bytes.length }, (question) => {
      if (question.kind !== 'memory') return undefined;
      if (question.address === at.address) return bytes;
      return question.address === 0x2000n ? set(10) : undefined;
    });
    expect(shown).toBe(text);
  });
});

it('any answer to any question is shown in one line that acts on no terminal', () => {
  const question = fc.constantFrom<Question>(
    { kind: 'fd', fd: 3 },
    { ...at, as: 'string', bytes: 4096 },
    { ...at, as: 'path', from: 'AT_FDCWD', bytes: 4096 },
    { ...at, as: 'path', from: 'nothing', bytes: 4096 },
    { ...at, as: 'sockaddr', bytes: 128 },
    { ...at, as: 'timespec', bytes: 16 },
    { ...at, as: 'timeval', bytes: 8 },
    { ...at, as: 'flock', bytes: 24 },
    { ...at, as: 'sigset', bytes: 8 },
    { ...at, as: 'sigsetpointer', bytes: 16 },
    { ...at, as: 'sigsetpointer', bytes: 8 },
    { ...at, as: 'pollfds', bytes: 128, count: 20 },
    { ...at, as: 'fdset', bytes: 2, count: 9 },
  );
  const text = fc.string({ unit: 'binary' });
  const connection = fc.record({ local: text, peer: text });
  const answer = fc.oneof(fc.uint8Array({ maxLength: 5000 }), text, connection, fc.constant(undefined));
  fc.assert(
    fc.property(question, answer, (question, answer) => {
      expect(printPart(question, () => answer)).not.toMatch(/^$|[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    }),
    { numRuns: 2000 },
  );
});
