import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Sample } from '../../src/model/sample.ts';
import { RecordingWriter } from '../../src/recording/write.ts';
import { FORMAT_NAMES, loadFormat } from '../../src/sinks/formats.ts';
import { ODD_SAMPLES } from '../odd-samples.ts';

/** What mutations begin with. */
export interface Seed {
  readonly name: string;
  readonly bytes: Buffer;
}

const CONTEXT = {
  zoneAt: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }),
  colour: false,
  full: false,
  annotate: false,
};

async function collected(pieces: AsyncIterable<string | Uint8Array>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(Buffer.from(piece));
  return Buffer.concat(all);
}

/** A recording in which tasks stay, come and go. */
function stream(): Sample[] {
  const [first, second] = ODD_SAMPLES;
  if (first === undefined || second === undefined) throw new Error('no samples');
  return Array.from({ length: 12 }, (_, at) => {
    const { observations, ...rest } = at % 5 === 4 ? second : first;
    return {
      ...rest,
      timeMs: 1_795_660_000_000 + 1000 * at,
      monotonicMs: 5_000_000 + 1000 * at,
      observations: observations.filter((_, index) => (index + at) % 5 !== 0),
      ...(at % 5 === 0 && { events: [{ kind: 'oom' as const, text: 'Out of memory: Killed process 1' }] }),
      ...(at % 3 === 0 && { pressure: { io: { some: at, full: 1 } } }),
    };
  });
}

async function* recorded(): AsyncGenerator<Buffer> {
  const writer = new RecordingWriter();
  let size = 0;
  for (const sample of stream()) {
    const bytes = (await writer.add(sample)).at(size);
    size += bytes.length;
    yield bytes;
  }
  const end = await writer.end();
  if (end !== undefined) yield end.at(size);
}

/** Recordings, packed and not; what kstack writes; logs and dumps of other tools. */
export async function seeds(): Promise<Seed[]> {
  const folder = join(import.meta.dirname, '../../src/sources/text/samples');
  const logs = readdirSync(folder).map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
  const recording = await collected(recorded());
  const written: Seed[] = [];
  for (const name of FORMAT_NAMES) {
    const { write, binary } = await loadFormat(name);
    if (!binary && name !== 'firefox') written.push({ name, bytes: await collected(write(ODD_SAMPLES, CONTEXT)) });
  }
  const tests = readFileSync(join(import.meta.dirname, '../../src/sources/text/samples.test.ts'));
  return [
    { name: 'recording', bytes: recording },
    { name: 'unpacked recording', bytes: gunzipSync(recording) },
    ...written,
    ...logs,
    { name: 'quoted logs', bytes: tests.subarray(0, 12_000) },
  ];
}
