import { readFileSync, readlinkSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
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

it('can be started again after somebody has killed it, and not otherwise', async () => {
  const reader = openReader();
  const version = await read(reader, 'read', 'version');
  expect(reader.restart()).toBe(false);
  const killed = reader.pid;
  process.kill(killed, 'SIGKILL');
  // Whether that shows as it is asked or as it answers: it says what has happened.
  await expect(read(reader, 'read', 'version')).rejects.toThrow('the reader process ended: signal 9');
  expect(reader.restart()).toBe(true);
  expect(reader.pid).not.toBe(killed);
  expect(await read(reader, 'read', 'version')).toBe(version);
  reader.close();
  expect(reader.restart()).toBe(false);
});
