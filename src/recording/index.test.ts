import { describe, expect, it } from 'vitest';
import { numbered, recorded } from '../../test/recorded.ts';
import { mayHave, regionsOf } from './index.ts';
import { linesOf } from './lines.ts';
import { unpackedSegments } from './members.ts';
import { recordedSamples } from './read.ts';

async function recordingOf(count: number): Promise<Buffer> {
  return Buffer.concat(await recorded(numbered(count)));
}

/** A file, and how much of it was read. */
function file(bytes: Buffer) {
  const counted = { read: 0, readAt };
  function readAt(offset: number, length: number): Buffer {
    counted.read += Math.min(length, bytes.length - offset);
    return bytes.subarray(offset, offset + length);
  }
  return counted;
}

async function timesIn(bytes: Buffer): Promise<(number | undefined)[]> {
  const times: (number | undefined)[] = [];
  const chunks = async function* () {
    yield bytes;
  };
  const lines = linesOf(unpackedSegments(chunks(), () => undefined));
  for await (const { timeMs } of recordedSamples(lines, () => undefined)) times.push(timeMs);
  return times;
}

const SEGMENTS = 20;

describe('the index of a recording', () => {
  it('leads from the last trailer to the segments of a time, without reading the others', async () => {
    const bytes = await recordingOf(60 * SEGMENTS);
    const disk = file(bytes);
    const regions = regionsOf(disk.readAt, bytes.length) ?? [];
    expect(regions).toHaveLength(SEGMENTS);
    const wanted = regions.filter((region, at) => mayHave(region, regions[at - 1], 300_000, 310_000));
    expect(wanted).toHaveLength(1);
    const [only] = wanted;
    const times = await timesIn(bytes.subarray(only?.from, only?.to));
    expect(times[0]).toBe(300_000);
    expect(times).toHaveLength(60);
    expect(disk.read).toBe(70 * (SEGMENTS + 1));
  });

  it('has the segment that was being written, and what a crash left before another one', async () => {
    const whole = await recordingOf(150);
    const torn = whole.subarray(0, whole.length - 100);
    const regions = regionsOf(file(torn).readAt, torn.length) ?? [];
    expect(regions.map(({ entry }) => entry?.samples)).toEqual([60, 60, undefined]);
    expect(mayHave(regions[2] ?? { from: 0, to: 0 }, regions[1], 0, 1)).toBe(true);
  });

  it('is none if it is damaged, so that all is read', async () => {
    const bytes = await recordingOf(150);
    const [, second] = regionsOf(file(bytes).readAt, bytes.length) ?? [];
    const damaged = Buffer.from(bytes);
    damaged.fill(0, (second?.to ?? 0) - 70, second?.to);
    expect(regionsOf(file(damaged).readAt, damaged.length)).toBeUndefined();
    expect(regionsOf(file(Buffer.alloc(10)).readAt, 10)).toBeUndefined();
  });
});

describe('a segment whose bytes are not those of its check sum', () => {
  it('is told', async () => {
    const bytes = await recordingOf(60);
    const trailerAt = bytes.length - 70;
    const wrong = Buffer.from(bytes);
    wrong[trailerAt + 16 + 32] = (wrong[trailerAt + 16 + 32] ?? 0) ^ 1;
    const damages: number[] = [];
    const chunks = async function* () {
      yield wrong;
    };
    for await (const _ of unpackedSegments(chunks(), (offset) => damages.push(offset)));
    expect(damages).toEqual([0]);
  });
});
