import { readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseSockets, SOCKET_TABLES } from './sockets.ts';

const inet = (local: string, remote: string, state: string) =>
  `  sl  local_address rem_address   st\n   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0\n`;

describe('parseSockets', () => {
  it.each([
    ['tcp', inet('0100007F:1F90', '00000000:0000', '0A'), 'tcp 127.0.0.1:8080 listening'],
    ['tcp', inet('0100000A:01BB', '0200000A:C350', '01'), 'tcp 10.0.0.1:443 -> 10.0.0.2:50000'],
    ['udp', inet('00000000:0035', '00000000:0000', '07'), 'udp 0.0.0.0:53'],
    ['tcp6', inet('00000000000000000000000001000000:0016', '00000000000000000000000000000000:0000', '0A'), 'tcp6 [::1]:22 listening'],
    [
      'tcp6',
      inet('B80D0120000000000000000001000000:0016', '0000000000000000FFFF00000100000A:0050', '01'),
      'tcp6 [2001:db8::1]:22 -> [::ffff:10.0.0.1]:80',
    ],
    ['unix', 'Num RefCount\n0000: 00000002 00000000 00010000 0001 01 4711 /run/a b\n', 'unix /run/a b'],
    ['unix', 'Num RefCount\n0000: 00000002 00000000 00010000 0001 01  4711 @abstract\n', 'unix @abstract'],
    ['unix', 'Num RefCount\n0000: 00000003 00000000 00000000 0001 03 4711\n', 'unix'],
    [
      'netlink',
      'sk Eth\n0000000000000000 0   77         00000111 0        0        0     2        0        4711\n',
      'netlink route port 77',
    ],
    ['packet', 'sk RefCnt\n0000000000000000 3      3    0003   2     1       0      0      4711\n', 'packet protocol 0x0003'],
  ] as const)('%s: %s', (table, text, description) => {
    expect([...parseSockets(table, text)]).toEqual([['4711', description]]);
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
      fc.property(fc.constantFrom(...SOCKET_TABLES), fc.string(), (table, text) => parseSockets(table, `\n${text}`) instanceof Map),
    );
  });
});
