import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EMPTY_SAMPLE } from '../../test/samples.ts';
import { filesOf } from '../files/remote.ts';
import type { Sample } from '../model/sample.ts';
import type { Clock } from '../model/time.ts';
import { Reader } from '../native/reader/reader.ts';
import type { RemoteFiles } from '../native/reader/remote-files.ts';
import { collect } from './collect.ts';
import { LogDirectory } from './log-directory.ts';
import { type Append, cutTornSample } from './log-file.ts';
import { textFormat } from './log-format.ts';
import { textLogNames } from './log-names.ts';
import { type LogBounds, RotatingLog } from './rotating-log.ts';
import { RunFile } from './run-file.ts';
import { RunJournal } from './run-journal.ts';
import { RunRecordFile } from './run-records.ts';

const START_MS = 1_700_000_000_000;

/** A clock that stands still but for what sleeps and samples take, with a time of day that can be set. */
class FakeClock implements Clock {
  monotonic = 5_000;
  offsetMs = START_MS - 5_000;
  nowMs = () => this.offsetMs + this.monotonic;
  monotonicMs = () => this.monotonic;
  sleep = async (milliseconds: number) => {
    this.monotonic += milliseconds;
  };
  zoneAt = () => ({ offsetSeconds: 0, abbreviation: 'UTC' });
}

interface Setting {
  readonly intervalMs: number;
  readonly durationMs: number;
  readonly maxBytes?: number;
  /** Called when sample number `index` is taken; what it does to the clock is how long that takes. May throw. */
  take(clock: FakeClock, index: number): void;
}

function testFiles(): RemoteFiles {
  const reader = new Reader('/proc');
  onTestFinished(() => reader.close());
  return filesOf(reader);
}

function boundsOf(keep: number, fileBytes: number): LogBounds {
  const totalBytes = fileBytes * Math.max(1, keep);
  return { fileBytes, keep, totalBytes, maxUsedPercent: 100, options: '-m times -n' };
}

/** Runs a collection to its end. Says when samples were begun, in milliseconds from the start, and what was told. */
async function run({ intervalMs, durationMs, maxBytes = 2 ** 20, take }: Setting) {
  const folder = mkdtempSync(join(tmpdir(), 'kstack-collect-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const clock = new FakeClock();
  const files = testFiles();
  const directory = await LogDirectory.open(files, folder, false);
  const log = new RotatingLog(directory, {
    names: textLogNames('h'),
    bounds: boundsOf(100, maxBytes),
    clock,
    tell: () => undefined,
  });
  const begun: number[] = [];
  /** Which sampler each sample was asked of, and which ones have been closed. */
  const asked: number[] = [];
  const closed: number[] = [];
  let opened = 0;
  const told: string[] = [];
  const open = () => {
    const number = opened++;
    const next = async (): Promise<Sample> => {
      const timeMs = clock.nowMs();
      begun.push(clock.monotonic - 5_000);
      asked.push(number);
      take(clock, begun.length - 1);
      return { ...EMPTY_SAMPLE, timeMs, host: `host-${begun.length - 1}` };
    };
    return { next, close: () => void closed.push(number) };
  };
  const tell = (level: string, text: string) => void (level !== 'DEBUG' && told.push(`${level} ${text}`));
  const times = { startedMs: START_MS, endsMs: START_MS + durationMs, writtenMs: START_MS };
  const state = { pid: process.pid, startTicks: 1, ...times, samples: 0, messages: [] };
  const record = new RunRecordFile(process.pid, []);
  const journal = new RunJournal({ runFile: await RunFile.make(directory, 'h'), record, clock, tell }, state);
  await collect({
    sampler: open(),
    reopen: async () => open(),
    blocked: false,
    log,
    format: textFormat(clock.zoneAt),
    carriesUnread: false,
    journal,
    waitsMs: () => files.waitsMs,
    mostMs: Number.POSITIVE_INFINITY,
    clock,
    durationMs: durationMs + 15_000,
    intervalMs,
    stop: new AbortController().signal,
    tell,
  });
  journal.close(await journal.finish());
  return { begun, asked, closed, told, folder };
}

describe('collect', () => {
  it('begins sample k at start + k * interval, however long sampling takes, the last within 15 seconds of the end', async () => {
    const { begun, told } = await run({
      intervalMs: 10_000,
      durationMs: 120_000,
      take: (clock, index) => {
        clock.monotonic += 137 * (index % 50);
      },
    });
    expect(begun).toEqual(Array.from({ length: 14 }, (_, k) => k * 10_000));
    expect(told).toEqual([]);
  });

  it('skips the beats that a long sample takes up, and says so once', async () => {
    const { begun, told } = await run({
      intervalMs: 10_000,
      durationMs: 120_000,
      take: (clock, index) => {
        clock.monotonic += index === 1 ? 25_000 : index === 3 ? 10_001 : 100;
      },
    });
    expect(begun).toEqual([0, 10_000, 40_000, 50_000, 70_000, 80_000, 90_000, 100_000, 110_000, 120_000, 130_000]);
    expect(told).toEqual(['INFO A sample took 25.0 s, longer than the interval: some are skipped.']);
  });

  it.each([
    ['back by a day', -86_400_000],
    ['forward by a day', 86_400_000],
    ['back to 1970', -START_MS],
  ])('keeps beat and end, and rotates into new names in order, when the clock is set %s', async (_, jumpMs) => {
    const { begun, folder } = await run({
      intervalMs: 10_000,
      durationMs: 300_000,
      // Room for two samples of nothing but their separator line.
      maxBytes: 110,
      take: (clock, index) => {
        if (index === 11) clock.offsetMs += jumpMs;
      },
    });
    expect(begun).toEqual(Array.from({ length: 32 }, (_, k) => k * 10_000));
    const seconds = (name: string) => Number(/-(\d+)\.gz$/.exec(name)?.[1]);
    const names = readdirSync(folder)
      .filter((name) => name.endsWith('.gz'))
      .sort((a, b) => seconds(a) - seconds(b));
    expect(names.length).toBeGreaterThan(14);
    const text =
      names.map((name) => gunzipSync(readFileSync(join(folder, name))).toString()).join('') +
      readFileSync(join(folder, 'kstack_h.out'), 'utf8');
    expect(text.match(/host-\d+/g)).toEqual(begun.map((_, k) => `host-${k}`));
  });

  it('asks another sampler after one has failed, says so, and leaves none open', async () => {
    const { asked, closed, told, folder } = await run({
      intervalMs: 10_000,
      durationMs: 20_000,
      take: (_, index) => {
        if (index === 1 || index === 2) throw new Error('the reader is gone');
      },
    });
    expect(asked).toEqual([0, 0, 1, 2]);
    expect(closed).toEqual([0, 1, 2]);
    expect(told).toEqual(['ERROR No sample could be taken: the reader is gone.']);
    expect(readFileSync(join(folder, 'kstack_h.out'), 'utf8').match(/host-\d+/g)).toEqual(['host-0', 'host-3']);
  });

  it('leaves out a sample that is larger than all files may be, and says so once', async () => {
    const { begun, told, folder } = await run({
      intervalMs: 10_000,
      durationMs: 60_000,
      maxBytes: 0.1,
      take: () => undefined,
    });
    expect(begun).toHaveLength(8);
    expect(told).toEqual([
      'ERROR A sample of 0.0 MB is larger than all log files may be together (-m times -n), and is left out.',
    ]);
    expect(existsSync(join(folder, 'kstack_h.out'))).toBe(false);
  });
});

describe('RotatingLog', () => {
  const open = async (folder: string, keep: number, maxBytes: number, host = 'h') => {
    const directory = await LogDirectory.open(testFiles(), folder, true);
    const names = textLogNames(host);
    const clock = { nowMs: () => START_MS, monotonicMs: () => 0 };
    const log = new RotatingLog(directory, { names, bounds: boundsOf(keep, maxBytes), clock, tell: () => undefined });
    return {
      append: (text: string) =>
        log.append({ length: text.length, continues: false, at: () => Buffer.from(text) }, async () => undefined),
      sizes: () => log.sizes(),
      recover: async (append: Append) => {
        await cutTornSample(directory, names.current, append);
        await log.recover();
      },
    };
  };

  it.each([0, 1, 2, 5])(
    'with -n %i never holds more than that many rotated files, nor more bytes than -n times -m',
    async (keep) => {
      const folder = mkdtempSync(join(tmpdir(), 'kstack-log-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const log = await open(folder, keep, 3000);
      for (let i = 0; i < 60; i++) {
        // Letters at random, so that compressing gains little.
        const text = Array.from({ length: 1100 }, () => String.fromCharCode(97 + Math.floor(Math.random() * 26))).join(
          '',
        );
        expect(await log.append(text)).toBeUndefined();
        const names = readdirSync(folder);
        const bytes = names.reduce((sum, name) => sum + lstatSync(join(folder, name)).size, 0);
        expect(names.length).toBeLessThanOrEqual(keep + 1);
        expect(bytes).toBeLessThanOrEqual(3000 * Math.max(1, keep));
        expect(lstatSync(join(folder, 'kstack_h.out')).size).toBeLessThanOrEqual(3000);
        expect(await log.sizes()).toEqual({
          current: lstatSync(join(folder, 'kstack_h.out')).size,
          total: bytes,
          files: names.length,
        });
      }
    },
  );

  it('cuts a sample that a crash tore, and no whole one', async () => {
    for (const [written, left] of [
      [0, 'whole\n'],
      [3, 'whole\n'],
      [6, 'whole\nsecond'],
    ] as const) {
      const folder = mkdtempSync(join(tmpdir(), 'kstack-log-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      await (await open(folder, 5, 1000)).append('whole\n');
      const path = join(folder, 'kstack_h.out');
      const { ino } = lstatSync(path, { bigint: true });
      await (await open(folder, 5, 1000)).append('second'.slice(0, written));
      const log = await open(folder, 5, 1000);
      await log.recover({ inode: String(ino), sizeBefore: 6, bytes: 6 });
      expect(readFileSync(join(folder, readdirSync(folder)[0] ?? '')).toString()).toBe(left);
      // What was renamed is compressed before the next sample is written.
      await log.append('third');
      const name = readdirSync(folder).find((name) => name.endsWith('.gz')) ?? '';
      expect(gunzipSync(readFileSync(join(folder, name))).toString()).toBe(left);
    }
  });

  it('stays in its directory whatever the host is called', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kstack-log-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const log = await open(folder, 5, 1000, '../../x.*(');
    for (let i = 0; i < 3; i++) await log.append('12345678'.repeat(70));
    expect(readdirSync(folder).sort()).toEqual(
      ['kstack_.._.._x.*(.out', 'kstack_.._.._x.*(.out-1700000000.gz', 'kstack_.._.._x.*(.out-1700000001.gz'].sort(),
    );
  });
});
