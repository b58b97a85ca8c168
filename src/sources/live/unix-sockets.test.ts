import { fstatSync, readFileSync, readlinkSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Reader } from '../../native/reader/reader.ts';
import { takeSockets, type UnixSocket, UnixSockets } from './unix-sockets.ts';

/** A message of netlink(7) with what stands behind its header. */
function message(type: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const header = Buffer.alloc(16);
  header.writeUInt32LE(16 + body.length, 0);
  header.writeUInt16LE(type, 4);
  return Buffer.concat([header, body]);
}

/** struct unix_diag_msg. */
function socket(inode: number, family = 1, state = 1): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt8(family, 0);
  bytes.writeUInt8(state, 2);
  bytes.writeUInt32LE(inode, 4);
  return bytes;
}

function attribute(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  bytes.writeUInt16LE(4 + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  value.copy(bytes, 4);
  return bytes;
}

const word = (value: number) => Buffer.from(new Uint32Array([value]).buffer);
const named = (name: string) => attribute(0, Buffer.from(name));
const ofPeer = (inode: number) => attribute(2, word(inode));
const DONE = message(3, word(0));

function socketsIn(...answers: readonly Buffer[]) {
  const sockets = new Map<string, UnixSocket>();
  return { follows: takeSockets(Buffer.concat(answers), sockets), sockets: Object.fromEntries(sockets) };
}

describe('takeSockets', () => {
  it('takes names and peers', () => {
    const answers = [
      message(20, socket(1), named('/run/a\0'), attribute(6, Buffer.alloc(1)), ofPeer(2)),
      message(20, socket(2), ofPeer(1)),
      message(20, socket(3), named('\0a\0b\n')),
      message(20, socket(4), named('/no/end')),
      message(20, socket(5), named('\0')),
      message(20, socket(6), ofPeer(0)),
    ];
    expect(socketsIn(...answers)).toEqual({
      follows: 'more',
      sockets: {
        1: { name: '/run/a', peer: '2' },
        2: { name: '', peer: '1' },
        3: { name: '@a@b\n' },
        4: { name: '/no/end' },
        5: { name: '@' },
        6: { name: '' },
      },
    });
  });

  it('takes who waits to be accepted', () => {
    const LISTENS = 10;
    const pending = attribute(3, Buffer.concat([word(7), word(0), word(8)]));
    const answers = [
      message(20, socket(1, 1, LISTENS), named('/run/a\0'), pending),
      message(20, socket(2, 1, LISTENS), named('/run/b\0')),
    ];
    expect(socketsIn(...answers).sockets).toEqual({
      1: { name: '/run/a', pending: ['7', '8'] },
      2: { name: '/run/b', pending: [] },
    });
  });

  it('is done where the kernel says so', () => {
    const behind = message(20, socket(1), ofPeer(2));
    expect(socketsIn(DONE, behind)).toEqual({ follows: 'done', sockets: {} });
  });

  it.each([
    ['a socket without an inode', message(20, socket(0), ofPeer(2))],
    ['another family', message(20, socket(1, 2), ofPeer(2))],
    ['an error', message(2, word(-2))],
    ['another message', message(21, socket(1), ofPeer(2))],
    ['a message without a socket', message(20, Buffer.alloc(15))],
    ['an attribute that is cut off', message(20, socket(1), ofPeer(2).subarray(0, 7))],
    ['an attribute of no length', message(20, socket(1), Buffer.alloc(8))],
  ])('leaves out %s', (_, bytes) => {
    expect(socketsIn(bytes)).toEqual({ follows: 'more', sockets: {} });
  });

  it('takes no peer of another size', () => {
    const sockets = { 1: { name: '' } };
    expect(socketsIn(message(20, socket(1), attribute(2, Buffer.alloc(2))))).toEqual({ follows: 'more', sockets });
  });

  it('takes nothing from where it is cut off', () => {
    const cut = message(20, socket(1), ofPeer(2)).subarray(0, 20);
    for (const bytes of [cut, Buffer.alloc(16)]) expect(socketsIn(bytes)).toEqual({ follows: 'more', sockets: {} });
  });

  it('takes anything', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => socketsIn(Buffer.from(bytes)).follows !== undefined),
    );
  });
});

describe('UnixSockets', () => {
  const inodeOf = (socket: Socket) => {
    const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly fd: number } };
    return fstatSync(handle?.fd ?? -1).ino;
  };

  it('asks the kernel that runs', async () => {
    const server = createServer();
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
    const name = `kstack-test-${process.pid}`;
    await new Promise<void>((resolve) => server.listen(`\0${name}`, resolve));
    const here = createConnection(`\0${name}`);
    const there = await accepted;
    const reader = new Reader('/proc');
    onTestFinished(() => {
      reader.close();
      here.destroy();
      there.destroy();
      server.close();
    });
    const unixSockets = new UnixSockets('/proc', reader);
    expect(await unixSockets.namespace()).toBe(readlinkSync('/proc/self/ns/net'));
    const { sockets, areAll } = await unixSockets.read();
    // A kernel that has what answers neither loaded nor built in is not asked.
    if (!areAll) expect(readFileSync('/proc/modules', 'latin1')).not.toMatch(/^unix_diag /m);
    else {
      expect(sockets.get(`${inodeOf(here)}`)).toEqual({ name: '', peer: `${inodeOf(there)}` });
      // Node.js gives an abstract name all the bytes there are.
      const filled = `@${name}`.padEnd(108, '@');
      expect(sockets.get(`${inodeOf(there)}`)).toEqual({ name: filled, peer: `${inodeOf(here)}` });
    }
  });
});
