import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recorded } from '../../test/recorded.ts';
import { EMPTY_SAMPLE, observationOf, taskOf } from '../../test/samples.ts';
import type { Sample } from '../model/sample.ts';
import { InternedStacks } from '../sources/text/index.ts';
import { samplesOf, spanOf } from './samples.ts';

const HOURS = 4;
const INTERVAL_MS = 10_000;
const SAMPLES = (HOURS * 3_600_000) / INTERVAL_MS;

/** Enough different tasks for segments of some kilobytes. */
function sampleAt(at: number): Sample {
  const observations = Array.from({ length: 60 }, (_, tid) =>
    observationOf(tid + 1, { task: taskOf(tid + 1, { comm: `t${Math.sin(at * 1000 + tid)}` }) }),
  );
  return { ...EMPTY_SAMPLE, timeMs: INTERVAL_MS * at, observations };
}

describe('a recording in a file', () => {
  let folder = '';
  let file = '';
  let sizeBytes = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kstack-samples-'));
    file = join(folder, 'recording');
    const bytes = Buffer.concat(await recorded(Array.from({ length: SAMPLES }, (_, at) => sampleAt(at))));
    sizeBytes = bytes.length;
    writeFileSync(file, bytes);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const options = () => ({
    notes: {},
    stacks: new InternedStacks(),
    known: () => new Set<string>(),
    damaged: (text: string) => {
      throw new Error(text);
    },
  });

  it('is read only where the time asked for is', async () => {
    let read = 0;
    const times: number[] = [];
    const bounds = { fromMs: 3_600_000, toMs: 3_660_000 };
    const counted = { ...options(), bounds, read: (bytes: number) => (read += bytes) };
    for await (const { timeMs = 0 } of samplesOf(file, counted)) times.push(timeMs);
    expect(times.filter((time) => time >= bounds.fromMs && time <= bounds.toMs)).toHaveLength(7);
    expect(times).toHaveLength(60);
    // One of 24 segments, the trailers, and the head of the file.
    expect(sizeBytes).toBeGreaterThan(1 << 20);
    expect(read).toBeLessThan(sizeBytes / 16);
  });

  it('tells when it begins and ends', async () => {
    expect(await spanOf(file, options())).toEqual({ firstMs: 0, lastMs: INTERVAL_MS * (SAMPLES - 1) });
  });
});
