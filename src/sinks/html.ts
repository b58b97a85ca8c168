import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { Fleet } from '../model/fleet.ts';
import { jsonText } from '../model/json-text.ts';
import { SegmentEncoder } from '../recording/encode.ts';
import { FindingWriter } from './finding-writer.ts';
import type { Format, Samples } from './format.ts';
import { DATA_MARK, PAGE } from './page.ts';
import { PageSamples } from './page-samples.ts';

/** A segment tells its tasks anew: the fewer, the smaller the page. Of readers, none begins in the middle. */
const SEGMENT_SAMPLES = 1000;
/** Bytes that make whole base64 characters, and a line of text. */
const BASE64_BYTES = 57;
const PIECE_BYTES = 1024 * BASE64_BYTES;

/**
 * A page with everything in it: the browser's part of kstack, the samples as a recording, and what their stacks mean.
 * Nothing of the data is markup: it is base64.
 */
export const format: Format = {
  fields: ['uid', 'cgroup', 'namespacePid', 'systemCall'],
  facts: true,
  edges: true,
  binary: false,
  write: (samples) => pageOf({ recording: samples }),
};

/** A page that compares two streams. */
export function comparingPage(before: Samples, after: Samples): AsyncGenerator<string> {
  return pageOf({ before, recording: after });
}

/** A page of several hosts: what they say together, and samples of theirs. */
export function fleetPage(fleet: Fleet, samples: Samples): AsyncGenerator<string> {
  return pageOf({ recording: samples }, fleet);
}

/** @param streams by the name of their block, which src/web/data.ts reads */
async function* pageOf(streams: Readonly<Record<string, Samples>>, fleet?: Fleet): AsyncGenerator<string> {
  const [start = '', end = ''] = PAGE.split(DATA_MARK);
  yield start;
  const findings: string[] = [];
  const writer = new FindingWriter();
  for (const [name, samples] of Object.entries(streams)) yield* block(name, recordingLines(samples, writer, findings));
  yield* block('findings', findings);
  if (fleet !== undefined) yield* block('fleet', [jsonText(fleet)]);
  yield end;
}

async function* recordingLines(samples: Samples, writer: FindingWriter, findings: string[]): AsyncGenerator<string> {
  let encoder = new SegmentEncoder(0);
  let count = 0;
  const shown = new PageSamples();
  for await (const whole of samples) {
    const sample = shown.next(whole);
    if (count > 0 && count % SEGMENT_SAMPLES === 0) encoder = new SegmentEncoder(count / SEGMENT_SAMPLES);
    count++;
    yield encoder.encode(sample);
    for (const line of writer.linesFor(sample)) findings.push(`${jsonText(line)}\n`);
  }
}

/** Text in a page that no browser takes for a program or for markup: compressed, in base64. */
async function* block(id: string, lines: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string> {
  yield `<script type="text/plain" id="${id}">\n`;
  const gzip = createGzip({ level: 9 });
  const compressed = Readable.from(lines, { objectMode: true }).pipe(gzip);
  let rest = Buffer.alloc(0);
  for await (const piece of compressed) {
    const bytes = Buffer.concat([rest, piece]);
    const whole = bytes.length - (bytes.length % PIECE_BYTES);
    for (let at = 0; at < whole; at += PIECE_BYTES) yield linesOf(bytes.subarray(at, at + PIECE_BYTES));
    rest = bytes.subarray(whole);
  }
  yield linesOf(rest);
  yield '</script>\n';
}

function linesOf(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += BASE64_BYTES)
    text += `${bytes.toString('base64', at, Math.min(bytes.length, at + BASE64_BYTES))}\n`;
  return text;
}
