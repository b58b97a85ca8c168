import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/harness.ts';
import { numbered, recorded } from '../../test/recorded.ts';
import { EMPTY_SAMPLE, observationOf } from '../../test/samples.ts';
import { report } from '../analysis/times/report.ts';
import type { Sample } from '../model/sample.ts';
import { parseFrames } from '../model/stack.ts';
import { hasFailed, mergedSamples, noProblems } from './merged-samples.ts';
import { type NamedFiles, recordingsIn } from './recordings-in.ts';

const START_MS = Date.UTC(2026, 10, 26, 3, 10);

describe('a recording that was found in a directory', () => {
  it.each([
    ['link', undefined],
    ['link', { fromMs: 0, toMs: 10 }],
    ['pipe', undefined],
    ['pipe', { fromMs: 0, toMs: 10 }],
  ])('is not read if it is a %s by then, with bounds %o: that may lead anywhere', async (kind, bounds) => {
    const [folder, elsewhere] = [temporaryFolder(), join(temporaryFolder(), 'elsewhere')];
    const name = join(folder, 'a.kstack');
    for (const file of [name, elsewhere])
      writeFileSync(file, Buffer.concat(await recorded([{ ...EMPTY_SAMPLE, timeMs: 5 }])));
    const read = async (files: NamedFiles) => {
      const problems = noProblems();
      const clock = { nowMs: () => 0, zoneAt: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }) };
      let count = 0;
      for await (const _ of mergedSamples({ ...files, verb: 'report', bounds }, problems, clock)) count++;
      return { count, lines: problems.lines, unread: problems.unread };
    };
    const files = recordingsIn([folder]);
    expect(await read(files)).toEqual({ count: 1, lines: [], unread: 0 });
    rmSync(name);
    if (kind === 'link') symlinkSync(elsewhere, name);
    else execFileSync('mkfifo', [name]);
    const why = expect.stringMatching(`^cannot read ${name}: (?:too many symbolic links|it is no longer a file)`);
    expect(await read(files)).toEqual({ count: 0, lines: [why], unread: 1 });
    if (kind === 'link') expect((await read({ names: [name] })).count).toBe(1);
  });
});

describe('two recordings of one time, from hosts of different boots', () => {
  it.each([
    ['localhost', ['localhost', 'localhost (boot 22222222)']],
    ['', ['unknown host (boot 22222222)']],
    [undefined, ['unknown host (boot 22222222)']],
  ])('that are both called %o are of two hosts', async (host, hosts) => {
    const folder = temporaryFolder();
    const frames = parseFrames('[<0>] percpu_rwsem_wait+0x1/0x2\n[<0>] mnt_want_write+0x1/0x2');
    const { host: _, ...unnamed } = EMPTY_SAMPLE;
    const write = async (digit: string, times: readonly number[]) => {
      const samples = times.map(
        (seconds): Sample => ({
          ...unnamed,
          ...(host !== undefined && { host }),
          bootId: { value: digit.repeat(12) },
          timeMs: START_MS + 1000 * seconds,
          monotonicMs: 1000 * (seconds + Number(`${digit}000`)),
          observations: [observationOf(7, { stack: { value: { id: 1, frames } } })],
        }),
      );
      writeFileSync(join(folder, digit), Buffer.concat(await recorded(samples)));
      return join(folder, digit);
    };
    // The first goes on after a boot.
    const names = [await write('1', [0, 10, 20]), await write('2', [5, 15, 25, 35, 45]), await write('3', [30, 40])];
    const clock = { nowMs: () => 0, zoneAt: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }) };
    const inputs = { names, verb: 'report', bounds: undefined };
    const found = await report(mergedSamples(inputs, noProblems(), clock));
    expect(found.hosts).toEqual(hosts);
    expect(found.unnamed).toBe(host === 'localhost' ? 0 : 10);
    expect(found.findings).toMatchObject([{ count: 2, tasks: [{}, {}] }]);
    expect(found.timeline.map(({ blocked }) => blocked)).toEqual([1, ...Array.from({ length: 9 }, () => 2)]);
  });
});

describe('the samples of several recordings of a boot', () => {
  it('are told apart where the recordings overlap, and go on where one begins behind another one', async () => {
    const folder = temporaryFolder();
    const write = async (name: string, times: readonly number[], more: Partial<Sample> = {}) => {
      const samples = times.map((seconds) => ({
        ...EMPTY_SAMPLE,
        ...more,
        bootId: { value: 'a' },
        timeMs: 1000 * seconds,
        monotonicMs: 1000 * seconds,
      }));
      writeFileSync(join(folder, name), Buffer.concat(await recorded(samples)));
      return join(folder, name);
    };
    const rest = { threads: true, observations: [observationOf(1)] };
    const names = [
      await write('always-1', [0, 10, 20], { ...rest, host: 'old' }),
      await write('once', [5, 15, 25, 28]),
      await write('always-2', [30, 40], rest),
      await write('again', [35, 45]),
    ];
    for (const given of [names, names.toReversed()]) {
      const found: [number, number | undefined][] = [];
      const inputs = { names: given, verb: 'report', bounds: undefined };
      const clock = { nowMs: () => 0, zoneAt: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }) };
      for await (const { timeMs = 0, stream } of mergedSamples(inputs, noProblems(), clock))
        found.push([timeMs / 1000, stream]);
      const streams = (number: number | undefined) => found.flatMap(([at, stream]) => (stream === number ? at : []));
      expect(streams(undefined)).toEqual([0, 10, 20, 30, 40]);
      expect(streams(1)).toEqual([5, 15, 25, 28, 35, 45]);
    }
  });

  it('are in their order although the clock was set back in between', async () => {
    const folder = temporaryFolder();
    const passed = [0, 10, 20, 30];
    const samples = passed.map((seconds) => ({
      ...EMPTY_SAMPLE,
      bootId: { value: 'a' },
      timeMs: 1000 * (seconds < 20 ? 5000 + seconds : 1000 + seconds),
      monotonicMs: 1000 * seconds,
    }));
    const names = await Promise.all(
      [samples.slice(0, 2), samples.slice(2)].map(async (part, at) => {
        const name = join(folder, `${at}.kstack`);
        writeFileSync(name, Buffer.concat(await recorded(part)));
        return name;
      }),
    );
    for (const given of [names, names.toReversed()]) {
      const found: (number | undefined)[] = [];
      const inputs = { names: given, verb: 'report', bounds: undefined };
      const clock = { nowMs: () => 0, zoneAt: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }) };
      for await (const { monotonicMs } of mergedSamples(inputs, noProblems(), clock)) found.push(monotonicMs);
      expect(found).toEqual(passed.map((seconds) => 1000 * seconds));
    }
  });
});

describe('the samples of a recording', () => {
  let folder = '';
  let bytes: Buffer = Buffer.alloc(0);
  const all = numbered(150).map(({ timeMs }) => timeMs);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kstack-merged-'));
    bytes = Buffer.concat(await recorded(numbered(150)));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const read = async (content: Uint8Array) => {
    const name = join(folder, 'recording');
    writeFileSync(name, content);
    const problems = noProblems();
    const times: (number | undefined)[] = [];
    const inputs = { names: [name], verb: 'report', bounds: undefined };
    const clock = { nowMs: () => 0, zoneAt: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }) };
    for await (const { timeMs } of mergedSamples(inputs, problems, clock)) times.push(timeMs);
    return { times, problems, hasFailed: hasFailed(problems) };
  };
  const zeroed = (from: number, to: number) => Buffer.from(bytes).fill(0, from, to);

  it('are those of the other segments if its beginning is damaged, and the exit code tells', async () => {
    for (const damaged of [zeroed(0, 64), bytes.subarray(300)]) {
      const found = await read(damaged);
      expect(found.times).toEqual(all.slice(60));
      expect(found.problems.lines).toEqual([expect.stringMatching(/the segment at byte 0 is damaged/)]);
      expect(found.hasFailed).toBe(true);
    }
    expect((await read(zeroed(0, 1))).times).toEqual(all);
  });

  it('are not those of a text if all of it is damaged', async () => {
    const found = await read(Buffer.concat([Buffer.alloc(100_000), bytes.subarray(-70)]));
    expect([found.times, found.problems.empty, found.hasFailed]).toEqual([[], [], true]);
  });

  it('are those before the damage', async () => {
    const one = bytes.subarray(0, 2500);
    const found = await read(Buffer.concat([one, Buffer.alloc(500)]));
    expect(found.times.length).toBeGreaterThan(10);
    expect(found.times).toEqual(all.slice(0, found.times.length));
    expect(found.hasFailed).toBe(true);
    expect((await read(one)).hasFailed).toBe(false);
  });

  it('are there once, also if it is there twice, or a part of it is in the same file again', async () => {
    const [first] = await recorded(numbered(150));
    for (const again of [bytes, first ?? bytes, Buffer.concat([bytes, bytes])]) {
      const found = await read(Buffer.concat([bytes, again]));
      expect(found.times).toEqual(all);
      expect(found.problems.repeated).toBeGreaterThan(0);
    }
    expect((await read(Buffer.concat([bytes, bytes]))).problems.repeated).toBe(150);
  });

  it('are read if it was packed once more, also where it is damaged', async () => {
    const { times, problems, hasFailed: failed } = await read(gzipSync(bytes));
    const span = { firstMs: all[0], lastMs: all.at(-1) };
    expect({ times, problems, failed }).toEqual({
      times: all,
      problems: { ...noProblems(), spans: new Map([[join(folder, 'recording'), span]]) },
      failed: false,
    });
    const found = await read(gzipSync(zeroed(0, 64)));
    expect([found.times, found.hasFailed]).toEqual([all.slice(60), true]);
  });
});
