import { readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { describeUnixSockets, parseSockets, SOCKET_TABLES } from './sockets.ts';

const inet = (local: string, remote: string, state: string) =>
  `  sl  local_address rem_address   st\n   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0\n`;

/** What the kernel prints of UNIX sockets. */
const unix = (...sockets: [inode: number, name: string | undefined][]) =>
  `Num       RefCount Protocol Flags    Type St Inode Path\n${sockets.map(([inode, name]) => `${unixLine(inode, name)}\n`).join('')}`;
const unixLine = (inode: number, name?: string) =>
  `00000000126c0f60: 00000002 00000000 00010000 0001 01 ${String(inode).padStart(5)}${name === undefined ? '' : ` ${name}`}`;

describe('describeUnixSockets', () => {
  it('names the peer, by its inode where it has no name or is not among them', () => {
    const sockets = new Map([
      ['1', { name: '', peer: '2' }],
      ['2', { name: '/run/dbus/socket', peer: '1' }],
      ['3', { name: '@a b', peer: '4' }],
      ['5', { name: '' }],
    ]);
    expect(Object.fromEntries(describeUnixSockets(sockets))).toEqual({
      1: { local: 'unix', peer: '/run/dbus/socket' },
      2: { local: 'unix /run/dbus/socket', peer: 'socket:[1]' },
      3: { local: 'unix @a b', peer: 'socket:[4]' },
      5: 'unix',
    });
  });
});

describe('parseSockets', () => {
  it.each([
    ['tcp', inet('0100007F:1F90', '00000000:0000', '0A'), 'tcp 127.0.0.1:8080 listening'],
    ['tcp', inet('0100000A:01BB', '0200000A:C350', '01'), { local: 'tcp 10.0.0.1:443', peer: '10.0.0.2:50000' }],
    ['udp', inet('00000000:0035', '00000000:0000', '07'), 'udp 0.0.0.0:53'],
    [
      'tcp6',
      inet('00000000000000000000000001000000:0016', '00000000000000000000000000000000:0000', '0A'),
      'tcp6 [::1]:22 listening',
    ],
    [
      'tcp6',
      inet('B80D0120000000000000000001000000:0016', '0000000000000000FFFF00000100000A:0050', '01'),
      { local: 'tcp6 [2001:db8::1]:22', peer: '[::ffff:10.0.0.1]:80' },
    ],
    ['unix', unix([4711, '/run/a b']), 'unix /run/a b'],
    ['unix', unix([4711, '@abstract\r\u2028a']), 'unix @abstract\r\u2028a'],
    ['unix', unix([4711, '@a\nb\n\nc']), 'unix @a\nb\n\nc'],
    ['unix', unix([4711, undefined]), 'unix'],
    [
      'netlink',
      'sk Eth\n0000000000000000 0   77         00000111 0        0        0     2        0        4711\n',
      'netlink route port 77',
    ],
    [
      'packet',
      'sk RefCnt\n0000000000000000 3      3    0003   2     1       0      0      4711\n',
      'packet protocol 0x0003',
    ],
  ] as const)('%s: %s', (table, text, description) => {
    expect([...parseSockets(table, text)]).toEqual([['4711', description]]);
  });

  it.each([
    ['by its only name', [[1, `@x\n${unixLine(4711, '/run/trusted.sock')}`]], { 1: 'unix @x' }],
    ['that has an empty name', [[1, `@\n${unixLine(4711, '/run/trusted.sock')}`]], { 1: 'unix @' }],
    ['without a name', [[1, `@x\n${unixLine(4711)}`]], { 1: 'unix @x' }],
    ['with the longest name there is', [[1, `@\n${unixLine(4711, 'n'.repeat(47))}`]], { 1: 'unix @' }],
    ['behind text of its own', [[1, `@x\ny\n${unixLine(4711, '/t')}`]], { 1: 'unix @x\ny' }],
    ['before text of its own', [[1, `@x\n${unixLine(4711, '/t')}\nz`]], { 1: 'unix @x' }],
    [
      'of another one, whose own line follows',
      [
        [1, `@\n${unixLine(2, 'n'.repeat(47))}`],
        [2, 'right'],
      ],
      { 1: 'unix @', 2: 'unix right' },
    ],
    [
      'of another one, whose own line came before',
      [
        [2, 'right'.padEnd(50)],
        [3, `@\n${unixLine(2, 'wrong')}`],
      ],
      { 2: 'unix right', 3: 'unix @' },
    ],
  ] as [string, [number, string | undefined][], object][])(
    'believes no line that a socket %s may have made up',
    (_, sockets, believed) => {
      expect(Object.fromEntries(parseSockets('unix', unix(...sockets)))).toEqual(believed);
    },
  );

  it('believes lines that no name has room for: behind a long one, a socket without a name, or another that may be made up', () => {
    const stream = '/run/systemd/journal/stdout';
    const sockets: [number, string | undefined][] = [
      [1, undefined],
      [2, undefined],
      [3, stream],
      [4, stream],
      [5, 'n'.repeat(50)],
      [6, undefined],
    ];
    expect([...parseSockets('unix', unix(...sockets)).keys()]).toEqual(['1', '2', '3', '4', '5', '6']);
    // 3 may stand in the name of 2; then 4 cannot, too.
    expect([
      ...parseSockets('unix', unix([1, undefined], [2, '/short'], [3, undefined], [4, undefined])).keys(),
    ]).toEqual(['1', '2', '4']);
  });

  it('never believes what a socket makes up, wherever it stands', () => {
    const name = fc.option(fc.string({ unit: fc.constantFrom('a', ' ', '\n', '0', 'é', '\udcff'), maxLength: 40 }), {
      nil: undefined,
    });
    const forged = fc
      .tuple(
        fc.string({ unit: fc.constantFrom('@', 'x', '\n'), maxLength: 20 }),
        name,
        fc.string({ unit: fc.constantFrom('y', '\n'), maxLength: 20 }),
      )
      .map(([before, evil, after]) => `${before}\n${unixLine(66666, evil)}${after}`.slice(0, 108));
    const honest = fc.option(fc.string({ unit: fc.constantFrom('a', '/', '@'), maxLength: 108 }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(fc.oneof(honest, forged), { maxLength: 12 }), (names) => {
        const text = unix(...names.map((each, at): [number, string | undefined] => [10_000 + at, each]));
        return !parseSockets('unix', text).has('66666');
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['a line that is cut', 'unix', unix([4711, '/run/a']).slice(0, -1)],
    ['an inode that is cut', 'tcp', inet('0100007F:1F90', '00000000:0000', '0A').slice(0, -22)],
    ['a pointer of another width', 'unix', unix([4711, '/run/a']).replace('00000000126c0f60', '126c0f60')],
    ['a blank too many', 'unix', unix([4711, '/run/a']).replace(' 4711', '  4711')],
    ['a blank too few', 'unix', unix([4711, '/run/a']).replace(' 4711', '4711')],
    ['a protocol that there is not', 'unix', unix([4711, '/run/a']).replace('02 00000000', '02 00000001')],
    ['a table without its heading', 'unix', unixLine(4711)],
  ] as const)('leaves out %s', (_, table, text) => {
    expect([...parseSockets(table, text)]).toEqual([]);
  });

  it('finds a socket of the kernel that runs', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('no address');
    const sockets = parseSockets('tcp', readFileSync('/proc/self/net/tcp', 'latin1'));
    expect([...sockets.values()]).toContain(`tcp 127.0.0.1:${address.port} listening`);
    expect(readlinkSync('/proc/self/ns/net')).toMatch(/^net:/);
  });

  it('takes anything', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SOCKET_TABLES),
        fc.string(),
        (table, text) => parseSockets(table, `\n${text}`) instanceof Map,
      ),
    );
  });
});
