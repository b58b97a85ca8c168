import { BlockedSeries } from '../analysis/times/blocked-series.ts';
import { TaskLives } from '../analysis/times/task-lives.ts';
import type { Fleet } from '../model/fleet.ts';
import type { Sample } from '../model/sample.ts';
import type { ToldLine } from '../model/told-finding.ts';
import { linesOf } from '../recording/lines.ts';
import { recordedSamples } from '../recording/read.ts';
import { paced } from './paced.ts';
import { takeFinding } from './told-findings.ts';

/** All that the page has. */
export interface Recorded {
  /** In the order of their times. */
  readonly samples: readonly Sample[];
  readonly lives: TaskLives;
  readonly series: BlockedSeries;
  /** False while lives and series are still being added up. */
  readonly isAddedUp: boolean;
  /** What could not be read of the data, one line each. */
  readonly damaged: readonly string[];
}

/**
 * What a page has: a recording, in a page of `kstack diff` another one that came before it, and in a page of several
 * hosts what they say together.
 */
export interface Content {
  readonly recording: Recorded;
  readonly before: Recorded | undefined;
  readonly fleet: Fleet | undefined;
}

/** Reads the data that is in the page. */
export async function readPage(progress: (samples: number) => void): Promise<Content> {
  for await (const lines of textLines(bytesIn('findings')))
    for (const line of lines) takeFinding(JSON.parse(line) as ToldLine);
  const before = document.getElementById('before') === null ? undefined : await readBlock('before', progress);
  return { recording: await readBlock('recording', progress), before, fleet: await readFleet() };
}

async function readFleet(): Promise<Fleet | undefined> {
  if (document.getElementById('fleet') === null) return undefined;
  const text = new TextDecoder();
  let json = '';
  for await (const bytes of bytesIn('fleet')) json += text.decode(bytes, { stream: true });
  return JSON.parse(json) as Fleet;
}

async function readBlock(id: string, progress: (samples: number) => void): Promise<Recorded> {
  const samples: Sample[] = [];
  const damaged: string[] = [];
  const tell = (line: number, why: string) => damaged.push(`line ${line} of the ${id} in this page: ${why}`);
  for await (const sample of paced(recordedSamples(linesOf(bytesIn(id)), tell))) {
    samples.push(sample);
    if (samples.length % 200 === 0) progress(samples.length);
  }
  return { samples, lives: new TaskLives(), series: new BlockedSeries(), isAddedUp: false, damaged };
}

/** The same with what follows from the samples. The verdict needs none of it, so it does not wait for it. */
export async function addedUp(recorded: Recorded): Promise<Recorded> {
  const [lives, series] = [new TaskLives(), new BlockedSeries()];
  for await (const sample of paced(recorded.samples)) {
    lives.add(sample);
    series.add(sample);
  }
  return { ...recorded, lives, series, isAddedUp: true };
}

/** The bytes of a block of data: base64 of what gzip made of them. */
async function* bytesIn(id: string): AsyncGenerator<Uint8Array> {
  const text = document.getElementById(id)?.textContent ?? '';
  if (text.trim() === '') return;
  // Line ends are nothing to atob. A loop: Uint8Array.from takes ten times as long.
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  yield* chunksOf(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')));
}

/** Not every browser can iterate over a stream. */
export async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read())
    if (value !== undefined) yield value;
}

/** The lines of a text, many at a time. */
export async function* textLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  const text = new TextDecoder();
  for await (const piece of linesOf(chunks)) yield text.decode(piece).trimEnd().split('\n');
}
