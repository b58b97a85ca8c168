import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { numbered, recorded } from '../../test/recorded.ts';
import type { Sample } from '../model/sample.ts';
import { linesOf } from './lines.ts';
import { isPackedRecording, unpackedSegments } from './members.ts';
import { recordedSamples } from './read.ts';
import { entryIn, TRAILER_BYTES, trailerOf } from './trailer.ts';
import { RecordingWriter } from './write.ts';

async function* whole(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

async function timesIn(text: string, damages: string[] = []): Promise<(number | undefined)[]> {
  const times: (number | undefined)[] = [];
  const tell = (line: number, why: string) => damages.push(`${line}: ${why}`);
  for await (const { timeMs } of recordedSamples(linesOf(whole(text)), tell)) times.push(timeMs);
  return times;
}

const times = (count: number) => numbered(count).map(({ timeMs }) => timeMs);

describe('a recording', () => {
  it('is gzip of JSON lines, which other tools can read', async () => {
    const text = gunzipSync(Buffer.concat(await recorded(numbered(150)))).toString();
    const heads = text.split('\n').filter((line) => line.startsWith('{"format":"kstack-recording"'));
    expect(heads.map((line) => JSON.parse(line).segment)).toEqual([0, 1, 2]);
    expect(await timesIn(text)).toEqual(times(150));
  });

  it('has all of a sample as soon as that is written', async () => {
    const pieces = await recorded(numbered(5));
    const torn = Buffer.concat(pieces.slice(0, 3));
    const text = gunzipSync(torn, { finishFlush: 2 }).toString();
    expect(await timesIn(text)).toEqual(times(3));
  });

  it('says behind each segment where it is, back to the first', async () => {
    const bytes = Buffer.concat(await recorded(numbered(150)));
    const found: unknown[] = [];
    for (let at: number | undefined = bytes.length - TRAILER_BYTES; at !== undefined; ) {
      const entry = entryIn(bytes.subarray(at));
      if (entry === undefined) throw new Error(`no trailer at ${at}`);
      const text = gunzipSync(bytes.subarray(entry.offset, entry.offset + entry.bytes)).toString();
      found.unshift([entry.fromMs, entry.toMs, (await timesIn(text)).length]);
      at = entry.previous;
    }
    expect(found).toEqual([
      [0, 59_000, 60],
      [60_000, 119_000, 60],
      [120_000, 149_000, 30],
    ]);
  });

  it('says so also where writing fails at times, and in another file', async () => {
    const writer = new RecordingWriter();
    const samples = numbered(180);
    let file = Buffer.alloc(0);
    for (const [at, sample] of samples.entries()) {
      const piece = await writer.add(sample);
      // A write that failed was cut off again.
      if (at % 7 === 3) piece.at(file.length);
      if (at === 60) file = Buffer.alloc(0);
      file = Buffer.concat([file, piece.at(file.length)]);
    }
    const last = entryIn(file.subarray(file.length - TRAILER_BYTES));
    const first = entryIn(file.subarray(last?.previous));
    expect([last?.fromMs, first?.fromMs, first?.offset, first?.previous]).toEqual([120_000, 60_000, 0, undefined]);
  });

  it('that is damaged loses the rest of one segment, and says where', async () => {
    const lines = gunzipSync(Buffer.concat(await recorded(numbered(150))))
      .toString()
      .split('\n');
    const samples = lines.flatMap((line, at) => (line.startsWith('{"sample"') ? [at] : []));
    lines[samples[70] ?? 0] = '{"sample":0,"tasks":{"gone":[-1]}}';
    const damages: string[] = [];
    expect(await timesIn(lines.join('\n'), damages)).toEqual([...times(70), ...times(150).slice(120)]);
    expect(damages).toEqual([`${(samples[70] ?? 0) + 1}: sample.tasks.gone[0]: -1 is not a count`]);
  });
});

describe('a hostile recording', () => {
  const HEAD = '{"format":"kstack-recording","version":1,"segment":0}';
  const PLACE = '{"place":0,"is":{"source":{"name":"text"},"threads":true,"fields":[],"leftOut":{}}}';

  it('has no samples without end in a segment', async () => {
    const damages: string[] = [];
    const lines = [HEAD, PLACE, ...Array.from({ length: 1100 }, () => '{"sample":0}'), ''].join('\n');
    expect((await timesIn(lines, damages)).length).toBe(1000);
    expect(damages).toEqual(['1003: more than 1000 samples in a segment']);
  });

  it('is not nested, which would take hundreds of megabytes', async () => {
    const damages: string[] = [];
    const nest = (value: string) => [HEAD, PLACE, `{"stack":0,"frames":${value}}`, '{"sample":0}', ''].join('\n');
    expect(await timesIn(nest('['.repeat(1e6) + ']'.repeat(1e6)), damages)).toEqual([]);
    expect(damages).toEqual(['3: nested too deeply']);
    expect(await timesIn(nest(`[["${'[\\\\\\"'.repeat(1e5)}"]]`), damages)).toHaveLength(0);
    expect(damages[1]).toMatch(/^3: frames\[0\]: ".* is not a name$/);
  });
});

const DAMAGES: readonly (readonly [way: string, damage: (bytes: Buffer, from: number, to: number) => Buffer])[] = [
  ['zeros', (bytes, from, to) => Buffer.from(bytes).fill(0, from, to)],
  [
    'other bytes',
    (bytes, from, to) => Buffer.from(bytes).fill(createHash('sha512').update(`${from}`).digest(), from, to),
  ],
  ['left out', (bytes, from, to) => Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])],
];

describe('a packed recording', () => {
  const readBack = async (bytes: Uint8Array, chunkBytes = 1000) => {
    async function* chunks() {
      for (let at = 0; at < bytes.length; at += chunkBytes) yield Buffer.from(bytes.subarray(at, at + chunkBytes));
    }
    const damages: unknown[] = [];
    const lost = (offset: number) => damages.push(offset);
    const found: (number | undefined)[] = [];
    const lines = linesOf(unpackedSegments(chunks(), lost));
    for await (const { timeMs } of recordedSamples(lines, (line) => damages.push(line))) found.push(timeMs);
    return { found, damages };
  };

  it('is recognized, and read in pieces of any size', async () => {
    const bytes = Buffer.concat(await recorded(numbered(150)));
    expect(isPackedRecording(bytes.subarray(0, 2000))).toBe(true);
    for (const size of [1, 7, 100, 1 << 20])
      expect(await readBack(bytes, size)).toEqual({ found: times(150), damages: [] });
  });

  it('with one flipped bit loses the rest of one segment at most', async () => {
    const bytes = Buffer.concat(await recorded(numbered(150)));
    for (let at = 12; at < bytes.length; at += 211) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 4;
      const { found } = await readBack(flipped);
      // Of a damaged segment, what was unpacked before its check sum failed may be wrong.
      expect(times(150).filter((time) => found.includes(time)).length).toBeGreaterThanOrEqual(89);
    }
  });

  it('that is damaged says no more than where', async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error) => warnings.push(warning);
    process.on('warning', warned);
    const bytes = Buffer.concat(await recorded(numbered(150)));
    bytes.fill(0, bytes.length >> 1, (bytes.length >> 1) + 10);
    const { damages } = await readBack(bytes, 1 << 20);
    await new Promise(setImmediate);
    process.off('warning', warned);
    expect(damages.length).toBeGreaterThan(0);
    expect(warnings).toEqual([]);
  });

  it('that goes on after a crash has what stands before and behind', async () => {
    const pieces = await recorded(numbered(5));
    const torn = Buffer.concat(pieces.slice(0, 3));
    const more = await recorded(numbered(150).slice(100), torn.length);
    const { found, damages } = await readBack(Buffer.concat([torn.subarray(0, -3), ...more]));
    expect(found.slice(-50)).toEqual(times(150).slice(100));
    expect(found.length).toBeGreaterThanOrEqual(52);
    expect(damages.length).toBeLessThanOrEqual(1);
  });

  it('that is damaged anywhere is recognized, and loses nothing without a word', async () => {
    const one = Buffer.concat(await recorded(numbered(150)));
    const other = Buffer.concat(await recorded(numbered(350).slice(200)));
    const bytes = Buffer.concat([one, other]);
    const all = [...times(150), ...times(350).slice(200)];
    const silent: unknown[] = [];
    for (let at = 0; at < bytes.length; at += 1499)
      for (const [way, damage] of DAMAGES)
        for (const length of [1, 200, 2000]) {
          // A killed writer leaves such an end, and other bytes may look like one.
          if (way !== 'zeros' && at + length >= bytes.length) continue;
          const damaged = damage(bytes, at, Math.min(bytes.length, at + length));
          if (!isPackedRecording(damaged)) silent.push([way, at, length]);
          const { found, damages } = await readBack(damaged, 1 << 20);
          const lost = all.filter((time) => !found.includes(time)).length;
          if (lost > 0 && damages.length === 0) silent.push([way, at, length, lost]);
        }
    expect(silent).toEqual([]);
  });

  it('that is cut off anywhere is no damage', async () => {
    const bytes = Buffer.concat(await recorded(numbered(70)));
    for (let length = 700; length < bytes.length; length += 13)
      expect((await readBack(bytes.subarray(0, length))).damages).toEqual([]);
  });
});

describe('docs/archive-format.md', () => {
  it('has an example that is read as it says', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/archive-format.md'), 'utf8');
    const [, example = ''] = /```json\n(.*?)```/s.exec(page) ?? [];
    const damages: string[] = [];
    const samples: Sample[] = [];
    for await (const sample of recordedSamples(linesOf(whole(example)), (_, why) => damages.push(why)))
      samples.push(sample);
    expect(damages).toEqual([]);
    expect(
      samples.map(({ observations }) =>
        observations.map(({ task, state, facts }) => [task.comm, state, facts?.switches, facts?.offCpuMs]),
      ),
    ).toEqual([
      [
        ['postgres', 'D', 17, 1000],
        ['cron', 'S', 40, 5000],
      ],
      [
        ['postgres', 'D', 17, 11_000],
        ['cron', 'S', 41, 5000],
        ['sh', 'S', 40, 1000],
      ],
    ]);
    expect(
      samples.map(({ edges, resources }) => [edges?.map(({ to }) => to), resources?.map(({ name }) => name)]),
    ).toEqual([
      [['device 8:0'], ['sda']],
      [['device 8:0'], ['sda']],
    ]);
  });
});

describe('a trailer', () => {
  it('is read back as it was', () => {
    const entry = { offset: 2 ** 40, bytes: 7, fromMs: 1.5, toMs: 2, samples: 3, crc: 0xffffffff, previous: 5 };
    expect(entryIn(trailerOf(entry))).toEqual(entry);
    const least = { offset: 0, bytes: 0, samples: 0, crc: 0 };
    expect(entryIn(trailerOf(least))).toEqual(least);
    expect(entryIn(trailerOf(least).subarray(1))).toBeUndefined();
  });
});
