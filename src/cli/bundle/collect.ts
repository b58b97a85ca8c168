import { setImmediate as nextTurn } from 'node:timers/promises';
import { Redactor } from '../../analysis/redact.ts';
import { report } from '../../analysis/times/report.ts';
import { LEAST_FOR_EDGES_MS } from '../../background/recorder.ts';
import type { Sample } from '../../model/sample.ts';
import { EVERYTHING, type Selection } from '../../model/selection.ts';
import { systemClock } from '../../native/clock.ts';
import { reasonOf } from '../../native/reason.ts';
import { BUNDLE_FILES, type BundleFile } from '../../recording/bundle.ts';
import { linesOf } from '../../recording/lines.ts';
import { unpackedSegments } from '../../recording/members.ts';
import { recordedSamples } from '../../recording/read.ts';
import type { Piece } from '../../sinks/format.ts';
import { loadFormat } from '../../sinks/formats.ts';
import { formatReport } from '../../sinks/report.ts';
import { formatWhy } from '../../sinks/why.ts';
import { formatWhyJson } from '../../sinks/why-json.ts';
import { openSampler } from '../../sources/live/sampler.ts';
import type { SourceName } from '../../sources/live/source-name.ts';
import { takeVerdict } from '../take-verdict.ts';
import type { BundleArchive } from './archive.ts';
import { hostFacts } from './host.ts';
import { KMSG, readKernelLog, whyNoLog } from './kernel-log.ts';
import { MemoryRecording } from './recording.ts';

export interface CollectOptions {
  readonly selection: Selection | undefined;
  /** The mount point of the procfs. */
  readonly root: string;
  readonly source: SourceName;
  readonly durationMs: number;
  readonly intervalMs: number;
  /** Whether stand-ins replace what tells of people and machines. */
  readonly redact: boolean;
  /** Ends the recording sooner. */
  readonly stop: AbortSignal;
}

/** How long a part may take: the recording beyond its time. What takes longer is left out. */
const PART_MS = 30_000;
/** Of what is left: the page has the recording in it once more. */
const SHARE = { whyJson: 0.2, kernelLog: 0.25, recording: 0.4 } as const;
/** The log is text, which gets several times smaller. */
const LOG_PACKED = 4;
/** How much of the report is text. */
const [REPORT_TOP, REPORT_COLUMNS] = [20, 120];

class Late extends Error {}

/** Fills a bundle with what it says about this host. A part that fails, or takes too long, is left out, with why. */
export async function collect(archive: BundleArchive, options: CollectOptions): Promise<void> {
  const { selection, root, source, redact } = options;
  const redactor = redact ? new Redactor() : undefined;
  const part = async (names: readonly BundleFile[], ms: number, make: () => Promise<void>) => {
    try {
      await inTime(make(), ms);
    } catch (error) {
      const isThere = (name: BundleFile) =>
        archive.files.some((file) => file.name === name) || archive.leftOut.some((file) => file.name === name);
      for (const name of names.filter((each) => !isThere(each))) archive.leave(name, reasonOf(error));
    }
  };
  await part([BUNDLE_FILES.why, BUNDLE_FILES.whyJson], PART_MS, async () => {
    const selected = selection === undefined ? EVERYTHING : { ...selection, threads: true };
    const { verdict, ...found } = await takeVerdict({ selection: selected, root, source, redactor });
    const context = { colour: false, evidence: true, ...found };
    const is = 'what kstack why --evidence said when the bundle was begun';
    archive.add({ name: BUNDLE_FILES.why, is, content: [...formatWhy(verdict, context)].join('') });
    const content = [...formatWhyJson(verdict, context)].join('');
    archive.add({ name: BUNDLE_FILES.whyJson, is: `${is}, as JSON`, content }, SHARE.whyJson * archive.roomBytes);
  });
  const recording = new MemoryRecording();
  await part([BUNDLE_FILES.recording], options.durationMs + PART_MS, () =>
    record(recording, archive, options, redactor),
  );
  if (recording.samples > 0) {
    const is = `a recording of ${recording.samples} sample${recording.samples === 1 ? '' : 's'}`;
    const content = await recording.bytes();
    archive.add({ name: BUNDLE_FILES.recording, is, content, notes: recording.notes });
  } else if (!archive.leftOut.some(({ name }) => name === BUNDLE_FILES.recording))
    archive.leave(BUNDLE_FILES.recording, recording.notes.join('; ') || 'no sample was taken');
  await part([BUNDLE_FILES.kernelLog], PART_MS, async () => {
    const mostBytes = SHARE.kernelLog * archive.roomBytes * LOG_PACKED;
    try {
      const { text, notes } = readKernelLog(KMSG, mostBytes, redactor);
      archive.add({ name: BUNDLE_FILES.kernelLog, is: 'the kernel log of this boot', content: text, notes });
    } catch (error) {
      archive.leave(BUNDLE_FILES.kernelLog, whyNoLog(error));
    }
  });
  await part([BUNDLE_FILES.host], PART_MS, async () => {
    const { facts, notes } = await hostFacts(root, redactor);
    const content = `${JSON.stringify(facts, undefined, 2)}\n`;
    archive.add({ name: BUNDLE_FILES.host, is: 'versions and settings', content, notes });
  });
  if (recording.samples > 0) await addReports(archive, await recording.bytes(), part);
  else for (const name of [BUNDLE_FILES.report, BUNDLE_FILES.page]) archive.leave(name, 'there is no recording');
}

async function record(
  recording: MemoryRecording,
  archive: BundleArchive,
  { root, source, stop, selection = EVERYTHING, ...times }: CollectOptions,
  redactor: Redactor | undefined,
): Promise<void> {
  const clock = systemClock();
  const mostBytes = SHARE.recording * archive.roomBytes;
  const sampler = await openSampler(
    { clock, root },
    {
      selection,
      source,
      fields: ['uid', 'cgroup', 'systemCall'],
      facts: true,
      edges: times.intervalMs >= LEAST_FOR_EDGES_MS,
      events: true,
      steady: true,
      ownsProcess: true,
      mended: (text) => recording.notes.push(text),
    },
  );
  try {
    const end = recording.record({ sampler, selection, clock, mostBytes, redactor, stop, ...times });
    // A sample that takes longer is not waited for: what is recorded is there.
    await inTime(end, times.durationMs + PART_MS / 2);
  } catch (error) {
    recording.notes.push(`it ends after ${recording.samples} samples: ${reasonOf(error)}`);
  } finally {
    sampler.close();
  }
}

type Part = (names: readonly BundleFile[], ms: number, make: () => Promise<void>) => Promise<void>;

async function addReports(archive: BundleArchive, recording: Buffer, part: Part): Promise<void> {
  const { zoneAt } = systemClock();
  await part([BUNDLE_FILES.report], PART_MS, async () => {
    const found = await report(samplesIn(recording));
    const content = [...formatReport(found, { zoneAt, top: REPORT_TOP, columns: REPORT_COLUMNS })].join('');
    archive.add({ name: BUNDLE_FILES.report, is: 'what kstack report says about the recording', content });
  });
  await part([BUNDLE_FILES.page], PART_MS, async () => {
    const page = await loadFormat('html');
    const context = { zoneAt, colour: false, full: false, annotate: false };
    const pieces: Piece[] = [];
    for await (const piece of page.write(samplesIn(recording), context)) pieces.push(piece);
    archive.add({ name: BUNDLE_FILES.page, is: 'the recording as a page for a browser', content: pieces.join('') });
  });
}

/** The samples of a recording. Signals and deadlines get their turn between them; what takes too long ends. */
async function* samplesIn(recording: Buffer): AsyncGenerator<Sample> {
  const endMs = performance.now() + PART_MS;
  const bytes = async function* () {
    yield recording;
  };
  const ignore = () => undefined;
  for await (const sample of recordedSamples(linesOf(unpackedSegments(bytes(), ignore)), ignore)) {
    if (performance.now() > endMs) throw new Late(`it took longer than ${PART_MS / 1000} s`);
    yield sample;
    await nextTurn();
  }
}

async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Late(`it took longer than ${Math.round(ms / 1000)} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
