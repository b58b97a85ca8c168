import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { fixture, kstack, needs, temporaryFolder, testRequires } from './harness.ts';
import { eventsIn, packetsIn } from './perfetto-trace.ts';

interface RecordedHang {
  readonly file: string;
  readonly tids: readonly number[];
  readonly firstMs: number;
  readonly lastMs: number;
}

const folder = mkdtempSync(join(tmpdir(), 'kstack-test-'));
afterAll(() => rmSync(folder, { recursive: true }));
let shared: Promise<RecordedHang> | undefined;

/** A while of a process with threads that wait for a frozen file system; the tests share it. */
function recordedHang(): Promise<RecordedHang> {
  shared ??= record();
  return shared;
}

async function record(): Promise<RecordedHang> {
  const [pid = 0] = await fixture('mmap-lock', [temporaryFolder(), '1']);
  const file = join(folder, 'recording');
  const { code } = await kstack(['record', '-o', file, '-L', '-p', String(pid), '-i', '0.2', '--for', '2s']);
  expect(code).toBe(0);
  const { stdout } = await kstack(['convert', file, '-f', 'jsonl']);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const stuck = lines.filter(({ type, rule }) => type === 'task' && /frozen/.test(rule ?? ''));
  const times = stuck.map(({ time }) => Date.parse(time));
  const tids = [...new Set(stuck.map(({ tid }): number => tid))];
  expect(tids.length).toBeGreaterThan(0);
  return { file, tids, firstMs: Math.min(...times), lastMs: Math.max(...times) };
}

async function converted(file: string, format: string): Promise<Buffer> {
  const output = join(temporaryFolder(), format);
  const { code, stderr } = await kstack(['convert', file, '-f', format, '-o', output]);
  expect([code, stderr]).toEqual([0, '']);
  return readFileSync(output);
}

describe('a hang that was recorded', () => {
  beforeEach(needs('root', 'compiler', 'loop'));

  it('is one slice of the writer in Perfetto, as long as the hang was recorded', async () => {
    const { file, tids, firstMs, lastMs } = await recordedHang();
    const events = eventsIn(packetsIn(await converted(file, 'perfetto')));
    for (const tid of tids) {
      const own = events.filter(({ track, type }) => track.endsWith(` ${tid}`) && type.startsWith('slice'));
      expect(own.map(({ type }) => type)).toEqual(['sliceBegin', 'sliceEnd']);
      const [begin, end] = own;
      expect(begin?.category).toBe('blocked');
      expect(begin?.name).toContain('frozen');
      expect(Number((begin?.timeNs ?? 0n) / 1_000_000n)).toBeLessThanOrEqual(firstMs);
      expect(Number((end?.timeNs ?? 0n) / 1_000_000n)).toBeGreaterThanOrEqual(lastMs);
      const state = events.filter(({ track }) => track.endsWith(` ${tid}: state`)).map(({ name }) => name);
      expect(state).toEqual(['D (uninterruptible sleep)', undefined]);
    }
  });

  it('is a marker of the writer in the Firefox Profiler, as long as the hang was recorded', async () => {
    const { file, tids, firstMs, lastMs } = await recordedHang();
    const { meta, threads, shared } = JSON.parse((await converted(file, 'firefox')).toString());
    for (const tid of tids) {
      const { samples, markers } = threads.find((thread: { tid: unknown }) => thread.tid === tid);
      expect(samples.length).toBeGreaterThan(1);
      expect(markers.length).toBe(1);
      expect(shared.stringArray[markers.name[0]]).toContain('frozen');
      expect(meta.categories[markers.category[0]].name).toBe('blocked');
      expect(meta.startTime + markers.startTime[0]).toBeLessThanOrEqual(firstMs);
      expect(meta.startTime + markers.endTime[0]).toBeGreaterThanOrEqual(lastMs);
    }
  });
});

describe('kstack -f perfetto', () => {
  beforeEach(needs('root'));

  it('is read by protoc to the last field', async () => {
    testRequires('protoc');
    const file = join(temporaryFolder(), 'trace');
    const { code } = await kstack(['-aL', '-f', 'perfetto', '-o', file]);
    expect(code).toBe(0);
    const decoded = execFileSync(
      'protoc',
      ['--decode=perfetto.protos.Trace', `--proto_path=${import.meta.dirname}`, 'perfetto.proto'],
      { input: readFileSync(file), maxBuffer: 1 << 30 },
    ).toString();
    // A field that the description does not have is printed by its number.
    expect(decoded).not.toMatch(/^ *\d+[: ]/m);
    expect(decoded.match(/^packet \{/gm)).toHaveLength(packetsIn(readFileSync(file)).length);
    const begun = decoded.match(/^ +type: TYPE_SLICE_BEGIN$/gm)?.length ?? 0;
    expect(begun).toBeGreaterThan(10);
    expect(decoded.match(/^ +type: TYPE_SLICE_END$/gm)).toHaveLength(begun);
  });
});
