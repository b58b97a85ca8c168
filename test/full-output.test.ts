import { type StdioOptions, spawn } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { connect as connectTo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ended, KSTACK, needs, run, temporaryFolder, until } from './harness.ts';

beforeEach(needs('root'));

/** A pipe that nobody reads. */
interface FullPipe {
  /** To hand to a program. */
  readonly fd: number;
  /** What is in it, which makes room. */
  drain(): string;
  fill(): void;
}

async function pipe(): Promise<FullPipe> {
  const path = join(temporaryFolder(), 'pipe');
  await run('mkfifo', [path]);
  const own = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const fd = openSync(path, constants.O_WRONLY);
  onTestFinished(() => {
    closeSync(own);
    closeSync(fd);
  });
  const untilFull = (step: () => number) => {
    try {
      while (step() > 0);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  };
  return {
    fd,
    fill: () => untilFull(() => writeSync(own, Buffer.alloc(512, 'x'))),
    drain: () => {
      const pieces: Buffer[] = [];
      untilFull(() => {
        const piece = Buffer.alloc(65536);
        const length = readSync(own, piece);
        pieces.push(piece.subarray(0, length));
        return length;
      });
      return Buffer.concat(pieces).toString();
    },
  };
}

/** A UNIX stream socket that nobody reads, as that of a journal that hangs. */
async function fullSocket(): Promise<Socket> {
  const path = join(temporaryFolder(), 'socket');
  const server = createServer({ pauseOnConnect: true }, (other) => onTestFinished(() => void other.destroy()));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const socket = connectTo(path);
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  while (socket.writableLength === 0) socket.write(Buffer.alloc(512, 'x'));
  return socket;
}

function start(args: readonly string[], stdio: StdioOptions) {
  const child = spawn(KSTACK, args, { stdio });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** How many bytes of samples a recording has. */
const sizeOf = (file: string) => (existsSync(file) ? statSync(file).size : 0);

describe('kstack record whose standard error takes nothing', () => {
  const recording = (stderr: number | Socket) => {
    const file = join(temporaryFolder(), 'a.kstack');
    // Of the number that no task has, a message tells before anything is recorded.
    const args = ['record', '-o', file, '-i', '0.1', '-p', `${process.pid},4194304`];
    return { file, child: start(args, ['ignore', 'ignore', stderr]) };
  };

  it.each(['pipe', 'socket'])('goes on recording, and ends on a signal: %s', async (kind) => {
    const full = kind === 'pipe' ? await pipe() : undefined;
    full?.fill();
    const { file, child } = recording(full?.fd ?? (await fullSocket()));
    const result = ended(child);
    await until(() => sizeOf(file) > 0);
    const before = sizeOf(file);
    await until(() => sizeOf(file) > before);
    child.kill('SIGTERM');
    expect((await result).code).toBe(143);
  });

  it('says how many messages were dropped as soon as it takes one', async () => {
    const full = await pipe();
    full.fill();
    const { file, child } = recording(full.fd);
    const result = ended(child);
    await until(() => sizeOf(file) > 0);
    full.drain();
    child.kill('SIGINT');
    expect((await result).code).toBe(130);
    expect(full.drain()).toMatch(
      /^kstack: [1-9]\d* messages? (?:was|were) dropped: nobody read standard error\nkstack: /,
    );
  });
});

it('kstack top ends on a signal while nobody reads what it prints', async () => {
  const output = await pipe();
  const child = start(['top', '-i', '0.1', '-p', '1'], ['ignore', output.fd, 'ignore']);
  const result = ended(child);
  let shown = '';
  await until(() => {
    shown += output.drain();
    return shown.includes('\n\n');
  });
  output.fill();
  // Time to write more, which cannot be waited for: nothing comes of it.
  await setTimeout(500);
  child.kill('SIGTERM');
  expect((await result).code).toBe(143);
});

it('kstack bundle ends on a signal while nobody reads what it writes', async () => {
  const [output, messages] = [await pipe(), await pipe()];
  output.fill();
  const args = ['bundle', '-o', '-', '--for', '1s', '-p', '1'];
  const child = start(args, ['ignore', output.fd, messages.fd]);
  const result = ended(child);
  await until(() => messages.drain().includes('recording for'));
  messages.fill();
  // The first one only ends the recording.
  const again = setInterval(() => child.kill('SIGTERM'), 300);
  expect((await result).code).toBe(143);
  clearInterval(again);
});
