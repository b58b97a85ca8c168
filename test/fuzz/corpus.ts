import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { BundleArchive } from '../../src/cli/bundle/archive.ts';
import type { Sample } from '../../src/model/sample.ts';
import { BUNDLE_FILES } from '../../src/recording/bundle.ts';
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
const BEGIN_MS = 1_795_660_000_000;

async function collected(pieces: AsyncIterable<string | Uint8Array>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(Buffer.from(piece));
  return Buffer.concat(all);
}

/** Samples in which tasks stay, come and go. @param every takes one of so many tasks */
function stream(every: number): Sample[] {
  const [first, second] = ODD_SAMPLES;
  if (first === undefined || second === undefined) throw new Error('no samples');
  return Array.from({ length: 12 }, (_, at) => {
    const { observations, ...rest } = at % 5 === 4 ? second : first;
    return {
      ...rest,
      timeMs: BEGIN_MS + 1000 * at,
      monotonicMs: 5_000_000 + 1000 * at,
      observations: observations.filter((_, index) => index % every === 0 && (index + at) % 5 !== 0),
      ...(at % 5 === 0 && { events: [{ kind: 'oom' as const, text: 'Out of memory: Killed process 1' }] }),
      ...(at % 3 === 0 && { pressure: { io: { some: at, full: 1 } } }),
    };
  });
}

/** @param tornAt before this sample, a crash has left its segment open */
async function* recorded(
  samples: readonly Sample[],
  { maxBytes, tornAt }: { maxBytes?: number; tornAt?: number } = {},
): AsyncGenerator<Buffer> {
  const writer = new RecordingWriter(maxBytes);
  let size = 0;
  for (const [at, sample] of samples.entries()) {
    if (at === tornAt) writer.begin();
    const bytes = (await writer.add(sample)).at(size);
    size += bytes.length;
    yield bytes;
  }
  const end = await writer.end();
  if (end !== undefined) yield end.at(size);
}

/** As kstack bundle writes it. */
function bundled(recording: Buffer): Buffer {
  const archive = new BundleArchive('kstack-db1-20261127', BEGIN_MS, 1 << 20);
  archive.add({ name: BUNDLE_FILES.why, is: 'the verdict', content: 'Nothing waits.\n' });
  archive.add({ name: BUNDLE_FILES.recording, is: 'a recording', content: recording });
  return archive.bytes({});
}

const TASKS_AT_ONCE = 10;

/** The samples with a few of their tasks each: most mutants are small, and any oddity is to be in some. */
function pieces(): readonly Sample[] {
  return ODD_SAMPLES.flatMap(({ observations, ...whole }) =>
    Array.from({ length: Math.ceil(observations.length / TASKS_AT_ONCE) || 1 }, (_, piece) => {
      const { holders, edges, resources, events, ...rest } = whole;
      const once = { ...(edges && { edges }), ...(resources && { resources }), ...(events && { events }) };
      const some = observations.slice(piece * TASKS_AT_ONCE, (piece + 1) * TASKS_AT_ONCE);
      return { ...rest, observations: some, holders: [], ...(piece === 0 && { holders, ...once }) };
    }),
  );
}

/** What kstack writes in each of its formats that are text. */
async function written(): Promise<Seed[]> {
  const seeds: Seed[] = [];
  for (const name of FORMAT_NAMES) {
    const { write, binary } = await loadFormat(name);
    if (binary || name === 'firefox') continue;
    seeds.push({ name, bytes: await collected(write(ODD_SAMPLES, CONTEXT)) });
    if (name === 'html') continue;
    for (const piece of pieces()) seeds.push({ name, bytes: await collected(write([piece], CONTEXT)) });
  }
  return seeds;
}

function filesIn(folder: string): Seed[] {
  const path = join(import.meta.dirname, folder);
  return readdirSync(path).map((name) => ({ name, bytes: readFileSync(join(path, name)) }));
}

/** Recordings, packed and not; what kstack writes; logs and dumps of other tools. */
export async function seeds(): Promise<Seed[]> {
  const recording = await collected(recorded(stream(1)));
  const few = stream(5).map(({ edges: _, resources: __, ...sample }) => sample);
  const segments = await collected(recorded(few, { maxBytes: 1500 }));
  const bundle = bundled(segments);
  return [
    { name: 'recording', bytes: recording },
    { name: 'recording in segments', bytes: segments },
    { name: 'recording after a crash', bytes: await collected(recorded(few, { tornAt: 6 })) },
    { name: 'unpacked recording', bytes: gunzipSync(recording) },
    { name: 'bundle', bytes: bundle },
    { name: 'unpacked bundle', bytes: gunzipSync(bundle) },
    ...(await written()),
    ...filesIn('samples'),
    ...filesIn('../../src/sources/text/samples'),
  ];
}
