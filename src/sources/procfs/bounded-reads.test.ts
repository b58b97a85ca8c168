import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Reading } from '../../model/reading.ts';
import { BoundedReads } from './bounded-reads.ts';
import type { ReadKind } from './read-kind.ts';

/** A FIFO with a writer that writes nothing: reads of it hang in the kernel, for as long as the test wants. */
const folder = mkdtempSync(join(tmpdir(), 'kstack-reads-'));
const directory = openSync(folder, 'r');
const reads = new BoundedReads<string>(() => performance.now());
const writers: number[] = [];

afterAll(() => {
  for (const writer of writers) closeSync(writer);
  closeSync(directory);
  rmSync(folder, { recursive: true });
});

function hangingFile(name: string): number {
  execFileSync('mkfifo', [join(folder, name)]);
  const writer = openSync(join(folder, name), constants.O_RDWR);
  writers.push(writer);
  return writer;
}

function file(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return name;
}

interface Options {
  readonly limitBytes?: number;
  readonly looksStuck?: (path: string) => boolean;
}

async function read(
  paths: readonly string[],
  { limitBytes = 1 << 20, looksStuck }: Options = {},
): Promise<Record<string, Reading<string>>> {
  const results: Record<string, Reading<string>> = {};
  const note = (path: string, reading: Reading<string>) => {
    expect(results[path]).toBeUndefined();
    results[path] = reading;
  };
  const kind: ReadKind<string> = {
    limitBytes: () => limitBytes,
    deliver: (path, bytes, cut) => note(path, { value: bytes.toString(), ...(cut && { cut }) }),
    miss: (path, unread) => note(path, { unread }),
    ...(looksStuck && { looksStuck }),
  };
  for (const path of paths) reads.add(kind, path, directory, path);
  await reads.finish();
  return results;
}

describe('BoundedReads', () => {
  it('reads files of every size whole, up to the limit', async () => {
    for (const length of [0, 1, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 100_000]) {
      const name = file(`of-${length}`, 'x'.repeat(length));
      expect((await read([name]))[name]).toEqual({ value: 'x'.repeat(length) });
      const limit = Math.max(1, length - 1);
      if (length > 1) expect((await read([name], { limitBytes: limit }))[name]).toEqual({ value: 'x'.repeat(limit), cut: true });
      if (length > 0) expect((await read([name], { limitBytes: length }))[name]).toEqual({ value: 'x'.repeat(length) });
    }
  });

  it('delivers thousands of files, each with its own content', async () => {
    const names = Array.from({ length: 3000 }, (_, i) => file(`one-${i}`, `content ${i}`));
    const results = await read(names);
    for (const [i, name] of names.entries()) expect(results[name]).toEqual({ value: `content ${i}` });
  });

  it('says what the kernel says of a file that cannot be read', async () => {
    const missing = await read(['missing', '.', `${'x'.repeat(300)}`]);
    expect(missing).toEqual({ missing: { unread: 'gone' }, '.': { unread: 'EISDIR' }, ['x'.repeat(300)]: { unread: 'ENAMETOOLONG' } });
  });

  it('gives up a read that hangs after a second, does not repeat it, and reads again once it came back', async () => {
    const writer = hangingFile('hangs');
    const name = file('beside', 'beside');
    const started = performance.now();
    expect(await read(['hangs', name])).toEqual({ hangs: { unread: 'timeout' }, beside: { value: 'beside' } });
    const took = performance.now() - started;
    expect(took).toBeGreaterThan(950);
    expect(took).toBeLessThan(1800);
    for (let i = 0; i < 100; i++)
      expect(await read(['hangs', name])).toEqual({ hangs: { unread: 'timeout' }, beside: { value: 'beside' } });
    expect(performance.now() - started).toBeLessThan(2500);
    writeSync(writer, 'late');
    await new Promise((resolve) => setTimeout(resolve, 100));
    writeSync(writer, 'new');
    expect(await read(['hangs'])).toEqual({ hangs: { value: 'new' } });
  });

  it('reads everything else while as many hang as there are threads, and says which it did not try', async () => {
    const hanging = Array.from({ length: 60 }, (_, i) => `stuck-${i}`);
    const stuckWriters = hanging.map(hangingFile);
    const others = Array.from({ length: 500 }, (_, i) => file(`other-${i}`, `${i}`));
    const started = performance.now();
    const atRisk = Object.entries(await read([...others.slice(0, 250), ...hanging, ...others.slice(250)], { looksStuck: () => true }));
    expect(performance.now() - started).toBeLessThan(2500);
    expect(atRisk.filter(([, result]) => 'unread' in result && result.unread === 'timeout')).toHaveLength(39);
    // All looked stuck, so those behind had no chance. Without the look, nothing that hangs is in the way of the rest.
    expect(atRisk.filter(([name, result]) => name.startsWith('other') && 'value' in result).length).toBeGreaterThanOrEqual(250);
    const again = await read(others);
    for (const [i, name] of others.entries()) expect(again[name]).toEqual({ value: `${i}` });
    for (const writer of stuckWriters) writeSync(writer, 'x');
    await new Promise((resolve) => setTimeout(resolve, 100));
  });

  it('reads those first that do not look stuck, once one hangs', async () => {
    const hanging = Array.from({ length: 60 }, (_, i) => `blocked-${i}`);
    const stuckWriters = hanging.map(hangingFile);
    const others = Array.from({ length: 50 }, (_, i) => file(`behind-${i}`, `${i}`));
    const results = await read([...hanging, ...others], { looksStuck: (path) => path.startsWith('blocked') });
    for (const [i, name] of others.entries()) expect(results[name]).toEqual({ value: `${i}` });
    const unread = (why: string) => hanging.filter((name) => JSON.stringify(results[name]) === JSON.stringify({ unread: why })).length;
    expect([unread('timeout'), unread('skipped')]).toEqual([39, 21]);
    for (const writer of stuckWriters) writeSync(writer, 'x');
  });
});
