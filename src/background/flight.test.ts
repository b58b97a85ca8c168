import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EMPTY_SAMPLE } from '../../test/samples.ts';
import { filesOf } from '../files/remote.ts';
import type { Sample } from '../model/sample.ts';
import { Reader } from '../native/reader/reader.ts';
import { linesOf } from '../recording/lines.ts';
import { unpackedSegments } from '../recording/members.ts';
import { recordedSamples } from '../recording/read.ts';
import { collect } from './collect.ts';
import { LogDirectory } from './log-directory.ts';
import { recordingFormat } from './log-format.ts';
import { recordingNames } from './log-names.ts';
import { RotatingLog } from './rotating-log.ts';

const START_MS = 1_700_000_000_000;
const NAME = /^kstack_h(?:-(\d+))?\.kstack$/;

/** Takes samples whose host says their number. `before` is called before each, with the clock, which it may set. */
async function flight({
  samples,
  totalBytes = 2 ** 20,
  ageMs,
  before = () => undefined,
}: {
  readonly samples: number;
  readonly totalBytes?: number;
  readonly ageMs?: number;
  before?(index: number, clock: { offsetMs: number }, folder: string): void;
}) {
  const folder = mkdtempSync(join(tmpdir(), 'kstack-flight-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const reader = new Reader('/proc');
  onTestFinished(() => reader.close());
  const files = filesOf(reader);
  const clock = {
    monotonic: 0,
    offsetMs: START_MS,
    nowMs: () => clock.offsetMs + clock.monotonic,
    monotonicMs: () => clock.monotonic,
    sleep: async (milliseconds: number) => {
      clock.monotonic += milliseconds;
    },
    zoneAt: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }),
  };
  const said: string[] = [];
  const fileBytes = Math.ceil(totalBytes / 16);
  const log = new RotatingLog(await LogDirectory.open(files, folder, false), {
    names: recordingNames('h'),
    bounds: {
      fileBytes,
      keep: Number.POSITIVE_INFINITY,
      totalBytes,
      ageMs,
      maxUsedPercent: 100,
      options: '--max-size',
    },
    clock,
    tell: (text) => void said.push(text),
  });
  let state = { samples: 0 };
  let taken = 0;
  const next = async (): Promise<Sample> => {
    before(taken, clock, folder);
    return { ...EMPTY_SAMPLE, timeMs: clock.nowMs(), host: `host-${taken++}` };
  };
  const end = await collect({
    sampler: { next, close: () => undefined },
    reopen: () => Promise.reject(new Error('unexpected')),
    blocked: false,
    log,
    format: recordingFormat(fileBytes / 8),
    carriesUnread: true,
    journal: {
      get state() {
        return state;
      },
      change: (change) => {
        state = { ...state, ...change };
      },
      say: (_, text) => void said.push(text),
      announce: () => Promise.resolve(),
      setAnswering: () => undefined,
    },
    waitsMs: () => files.waitsMs,
    mostMs: 2000,
    clock,
    durationMs: 10_000 * samples,
    intervalMs: 10_000,
    stop: new AbortController().signal,
    tell: () => undefined,
  });
  return { folder, said, end, state };
}

/** The numbers of the samples in a folder's recordings, in the order of their rotation, and how many are damaged. */
async function numbersIn(folder: string): Promise<number[]> {
  const names = readdirSync(folder).filter((name) => NAME.test(name));
  const seconds = (name: string) => Number(NAME.exec(name)?.[1] ?? Number.POSITIVE_INFINITY);
  const numbers: number[] = [];
  const fail = (place: number) => expect.fail(`damaged at ${place}`);
  for (const name of names.sort((a, b) => seconds(a) - seconds(b))) {
    const bytes = readFileSync(join(folder, name));
    async function* chunks() {
      yield bytes;
    }
    for await (const { host } of recordedSamples(linesOf(unpackedSegments(chunks(), fail)), fail))
      numbers.push(Number(host?.replace('host-', '')));
  }
  return numbers;
}

const first = (count: number) => Array.from({ length: count }, (_, at) => at);

describe('recordings in a directory', () => {
  it.each([
    ['back by an hour', -3_600_000],
    ['forward by a day', 86_400_000],
  ])('have every sample once, in order, when the clock is set %s', async (_, jumpMs) => {
    const { folder, said } = await flight({
      samples: 1000,
      totalBytes: 300_000,
      before: (index, clock) => {
        if (index === 500) clock.offsetMs += jumpMs;
      },
    });
    expect(readdirSync(folder).length).toBeGreaterThan(1);
    expect(await numbersIn(folder)).toEqual(first(1000));
    expect(said).toEqual([]);
  });

  it('stay within their size, the newest kept', async () => {
    const { folder } = await flight({ samples: 1500, totalBytes: 2 ** 16 });
    const sizes = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(2 ** 16);
    expect(sizes.length).toBeGreaterThan(10);
    const numbers = await numbersIn(folder);
    expect(numbers.length).toBeGreaterThan(300);
    expect(numbers).toEqual(first(1500).slice(-numbers.length));
  });

  it('keep the oldest file when somebody else has made room', async () => {
    let oldest: string | undefined;
    const { folder } = await flight({
      samples: 1030,
      totalBytes: 2 ** 16,
      before: (index, _, at) => {
        if (index !== 1000) return;
        const rotated = readdirSync(at).filter((name) => /-\d+\.kstack$/.test(name));
        const [first, ...others] = rotated.sort();
        oldest = first;
        for (const name of others) rmSync(join(at, name));
      },
    });
    expect(oldest).toBeDefined();
    expect(readdirSync(folder)).toContain(oldest);
  });

  it('are rotated when they get old, and removed before they are too old', async () => {
    const { folder } = await flight({ samples: 1000, ageMs: 16_000_000 });
    // Every 120 samples: a segment has 60, and a file is old after 100.
    expect(readdirSync(folder).length).toBe(9);
    // Files have the time of this host.
    const now = Date.now() - START_MS;
    const removed = await flight({
      samples: 1000,
      ageMs: 16_000_000,
      before: (index, clock) => {
        if (index === 990) clock.offsetMs += now + 16_000_000;
      },
    });
    expect((await numbersIn(removed.folder)).at(-1)).toBe(999);
    expect(readdirSync(removed.folder).length).toBeLessThan(3);
  });

  it.each([
    ['removed', (folder: string) => rmSync(join(folder, 'kstack_h.kstack')), 'was removed by somebody else', 50],
    [
      'renamed',
      (folder: string) => renameSync(join(folder, 'kstack_h.kstack'), join(folder, 'kstack_h-1.kstack')),
      'was removed by somebody else',
      0,
    ],
    [
      'truncated',
      (folder: string) => truncateSync(join(folder, 'kstack_h.kstack'), 0),
      'was truncated by somebody else',
      50,
    ],
  ] as const)('go on when the file is %s, and say so', async (_, change, message, from) => {
    const { folder, said, end } = await flight({
      samples: 100,
      before: (index, __, folder) => {
        if (index === 50) change(folder);
      },
    });
    expect([end, said.length, said[0]]).toEqual(['done', 1, expect.stringContaining(message)]);
    expect(await numbersIn(folder)).toEqual(first(100).slice(from));
  });

  it('end when the directory is gone', async () => {
    const { end, said } = await flight({
      samples: 100,
      before: (index, _, folder) => {
        if (index === 50) rmSync(folder, { recursive: true });
      },
    });
    expect(end).toBe('replaced');
    expect(said.at(-1)).toMatch(/was removed\. The run ends\.$/);
  });
});
