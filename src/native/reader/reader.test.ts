import { spawn } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { expect, it, onTestFinished, vi } from 'vitest';
import { requires } from '../../../test/harness.ts';
import { errnoName } from '../errno.ts';
import { FLAG } from './protocol.ts';
import { Reader } from './reader.ts';

function openReader(): Reader {
  const reader = new Reader('/proc');
  onTestFinished(() => reader.close());
  return reader;
}

async function read(reader: Reader, what: 'read' | 'link', path: string, limit = 1 << 20): Promise<string> {
  const parts: string[] = [];
  await reader.path({ what, path, position: 0n, limit }, ({ result, flags, bytes }) => {
    if (result < 0) parts.push(errnoName(-result));
    else if ((flags & FLAG.late) === 0) parts.push(bytes.toString('latin1'));
  });
  return parts.join('');
}

it('answers thousands of paths that are asked for at once, each with its own', async () => {
  const reader = openReader();
  const config = readFileSync(import.meta.filename, 'latin1');
  const asked = Array.from({ length: 3000 }, (_, at) => {
    if (at % 4 === 0) return read(reader, 'read', import.meta.filename, 100 + (at % 7));
    if (at % 4 === 1) return read(reader, 'link', `${process.pid}/exe`);
    if (at % 4 === 2) return read(reader, 'read', `/nothing/${at}`);
    return read(reader, 'read', `${process.pid}/comm`);
  });
  const exe = readlinkSync('/proc/self/exe');
  const comm = readFileSync('/proc/self/comm', 'latin1');
  for (const [at, answer] of (await Promise.all(asked)).entries())
    expect(answer).toBe([config.slice(0, 100 + (at % 7)), exe, 'ENOENT', comm][at % 4]);
});

it('reads a file of several parts beside others', async () => {
  const reader = openReader();
  const symbols = readFileSync('/proc/kallsyms', 'latin1').slice(0, 300_000);
  const [before, large, after] = await Promise.all([
    read(reader, 'read', 'version'),
    read(reader, 'read', 'kallsyms', 300_000),
    read(reader, 'read', 'version'),
  ]);
  expect(large).toBe(symbols);
  expect([before, after]).toEqual([readFileSync('/proc/version', 'latin1'), before]);
});

it('asks again after a pause, and after other requests', async () => {
  const reader = openReader();
  const version = readFileSync('/proc/version', 'latin1');
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await read(reader, 'read', 'version')).toBe(version);
    expect(await read(reader, 'read', 'version')).toBe(version);
  }
});

it('rejects what is asked for when it is closed, and afterwards', async () => {
  const reader = new Reader('/proc');
  const asked = read(reader, 'read', 'version');
  reader.close();
  await expect(asked).rejects.toThrow('the reader was closed');
  await expect(read(reader, 'read', 'version')).rejects.toThrow('the reader was closed');
});

it('notices that it was stopped, and is killed then', async () => {
  const reader = openReader();
  await read(reader, 'read', 'version');
  process.kill(reader.pid, 'SIGSTOP');
  await expect(read(reader, 'read', 'version')).rejects.toThrow('it was stopped by SIGSTOP');
  expect(reader.restart()).toBe(true);
  expect(await read(reader, 'read', 'version')).toContain('Linux');
});

it.each(['SIGKILL', 'SIGSTOP'] as const)('ends if one of its worker processes gets a %s', async (signal) => {
  const reader = openReader();
  await read(reader, 'read', 'version');
  const workers = readFileSync(`/proc/${reader.pid}/task/${reader.pid}/children`, 'latin1').trim().split(' ');
  // One that is killed while it has the lock of the queue is noticed only as no answer comes.
  const sleeps = (pid: string) => /^State:\tS/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  await vi.waitUntil(() => workers.every(sleeps), { timeout: 10_000 });
  for (const worker of workers) process.kill(Number(worker), signal);
  await expect(read(reader, 'read', 'version')).rejects.toThrow('one of its worker processes was killed or stopped');
  expect(reader.end).toBe('one of its worker processes was killed or stopped');
});

it('is killed if it does not answer, such as in a debugger', async (context) => {
  requires(context, 'python3');
  const reader = openReader();
  await read(reader, 'read', 'version');
  // PTRACE_ATTACH.
  const script = `import ctypes, sys; ctypes.CDLL(None).ptrace(16, ${reader.pid}, None, None); sys.stdin.read()`;
  const tracer = spawn('python3', ['-c', script]);
  onTestFinished(() => void tracer.kill('SIGKILL'));
  const isStopped = () => /^State:\tt/m.test(readFileSync(`/proc/${reader.pid}/status`, 'latin1'));
  await vi.waitUntil(isStopped, { timeout: 10_000 });
  await expect(read(reader, 'read', 'version')).rejects.toThrow('no answer within 2.6 s');
});

it('can be started again after somebody has killed it, and not otherwise', async () => {
  const reader = openReader();
  const version = await read(reader, 'read', 'version');
  expect(reader.restart()).toBe(false);
  const killed = reader.pid;
  process.kill(killed, 'SIGKILL');
  // Whether that shows as it is asked or as it answers: it says what has happened.
  await expect(read(reader, 'read', 'version')).rejects.toThrow('the reader process ended: it was killed by SIGKILL');
  expect(reader.restart()).toBe(true);
  expect(reader.pid).not.toBe(killed);
  expect(await read(reader, 'read', 'version')).toBe(version);
  reader.close();
  expect(reader.restart()).toBe(false);
});
