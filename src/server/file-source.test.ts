import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { numbered } from '../../test/recorded.ts';
import type { Sample } from '../model/sample.ts';
import { FileSource } from './file-source.ts';

const STALLED_MS = 300;

/** Connects to a server of these samples. Resolves to the socket, which nobody reads yet. */
async function connected(read: () => AsyncGenerator<Sample>) {
  const source = new FileSource(async () => ({ fleet: undefined, samples: read() }), STALLED_MS);
  const server = createServer((_, response) => source.serve(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  return socket;
}

describe('the samples of files', () => {
  it('are given up for a page that takes none', async () => {
    let isRead = true;
    const socket = await connected(async function* () {
      try {
        for (;;) yield* numbered(100);
      } finally {
        isRead = false;
      }
    });
    onTestFinished(() => void socket.destroy());
    while (isRead) await pause(50);
  });

  it('are waited for as long as they take', async () => {
    const socket = await connected(async function* () {
      yield* numbered(1);
      await pause(4 * STALLED_MS);
      yield* numbered(2);
    });
    let text = '';
    for await (const bytes of socket) text += bytes;
    expect(text.match(/data: \{"sample"/g)).toHaveLength(3);
    expect(text).toContain('event: end');
  });
});
