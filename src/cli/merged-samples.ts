import { knownFunctions } from '../analysis/explain/known-functions.ts';
import { isTarget } from '../clickhouse/target.ts';
import { bootOf, inStream, type Sample, sharesBoot } from '../model/sample.ts';
import type { Selection } from '../model/selection.ts';
import type { Frame } from '../model/stack.ts';
import type { Clock } from '../model/time.ts';
import { InternedStacks } from '../sources/text/interned.ts';
import type { InputNotes } from '../sources/text/wrapping/decoded.ts';
import { shownName } from '../terminal/escape.ts';
import { writeStderr } from '../terminal/output.ts';
import type { ClassicThread } from './classic-thread.ts';
import { databaseSamples } from './database-samples.ts';
import { ALL_HOSTS, isHostIn, type Origin } from './host-options.ts';
import { toldOdd } from './line-at.ts';
import { localClock } from './local-clock.ts';
import { DASH } from './read-once.ts';
import type { NamedFiles } from './recordings-in.ts';
import { Fingerprints, Repeats } from './repeats.ts';
import { type SamplesOptions, type Span, samplesOf, spanWith, toldUnread, whyNoSample, whyUnread } from './samples.ts';
import { type Numbered, Streams } from './streams.ts';
import type { Bounds } from './time-window.ts';

/** What there is to say about the files that samples were read from. */
export interface Problems {
  /** In the order in which they were found. */
  readonly lines: string[];
  /** Files without a sample. */
  readonly empty: string[];
  /** How many files could not be read. */
  unread: number;
  /** Whether a recording has lost samples. */
  isDamaged: boolean;
  /** Samples that were in several files, or in one of them twice. */
  repeated: number;
  /** When files begin and end that were read from end to end; undefined for one without a time. */
  readonly spans: Map<string, Span | undefined>;
}

export function noProblems(): Problems {
  return { lines: [], empty: [], unread: 0, isDamaged: false, repeated: 0, spans: new Map() };
}

const ASSUMED = 'times without a zone are taken as local time';

/** A stream, and its next sample. */
interface Head {
  readonly stream: AsyncGenerator<Sample>;
  readonly fingerprints: Fingerprints;
  readonly file: Numbered;
  sample: Sample;
  /** Where it belongs: a sample without a time stays behind the one before it. */
  timeMs: number;
}

/** Somebody may have set the clock between two files of one host. */
function isBefore(one: Head, other: Head): boolean {
  const isOneBoot = bootOf(one.sample) !== undefined && sharesBoot(one.sample, other.sample);
  const [mine, its] = isOneBoot ? [one.sample.monotonicMs, other.sample.monotonicMs] : [];
  return mine === undefined || its === undefined ? one.timeMs < other.timeMs : mine < its;
}

export interface Inputs extends NamedFiles {
  /** The command that reads them, for advice. */
  readonly verb: string;
  readonly bounds: Bounds | undefined;
  /** Of all hosts, if it is absent. */
  readonly origin?: Origin | undefined;
  /** Applied by the caller: what it does not need of a database may be left out. */
  readonly selection?: Selection | undefined;
  /** Reads the only file already. */
  readonly thread?: ClassicThread | undefined;
  /** Called with the number of bytes that were read. */
  read?(bytes: number): void;
}

/** What the files of one command have in common: equal stacks are one object. */
export function textOptions(
  clock: Pick<Clock, 'nowMs' | 'zoneAt'>,
  problems: Problems,
): Pick<SamplesOptions, 'stacks' | 'known' | 'assumeTimeMs'> {
  const local = localClock(clock);
  return {
    stacks: new InternedStacks(),
    known: knownFunctions,
    assumeTimeMs: (clockMs) => {
      if (!problems.lines.includes(ASSUMED)) problems.lines.push(ASSUMED);
      return local(clockMs);
    },
  };
}

/**
 * The samples of all files in the order of their times, without the files that cannot be read. A sample that is in
 * several files is there once.
 */
export async function* mergedSamples(
  inputs: Inputs,
  problems: Problems,
  clock: Pick<Clock, 'nowMs' | 'zoneAt'>,
): AsyncGenerator<Sample> {
  const shared = textOptions(clock, problems);
  // A database has each sample once; and without tasks that are not needed, two of one time may look the same.
  const isDatabase = inputs.names.length === 1 && inputs.names.every(isTarget);
  const repeats = isDatabase ? undefined : new Repeats();
  const streams = new Streams();
  const heads: Head[] = [];
  for (const name of inputs.names) {
    const stream = read(name, inputs, shared, problems);
    const first = await stream.next();
    if (first.done === true) continue;
    const { timeMs = 0 } = first.value;
    heads.push({ stream, fingerprints: new Fingerprints(), file: {}, sample: first.value, timeMs });
  }
  for (;;) {
    let earliest = heads[0];
    if (earliest === undefined) return;
    for (const head of heads) if (isBefore(head, earliest)) earliest = head;
    const { fingerprints, file, sample } = earliest;
    if (repeats?.has(sample, fingerprints.of(sample)) === true) problems.repeated++;
    else yield inStream(sample, isDatabase ? streams.numberOfHost(sample) : streams.numberOf(file, sample));
    const next = await earliest.stream.next();
    if (next.done === true) {
      heads.splice(heads.indexOf(earliest), 1);
      streams.end(file);
    } else {
      earliest.sample = next.value;
      earliest.timeMs = next.value.timeMs ?? earliest.timeMs;
    }
  }
}

/** The first of many say enough. */
const MAX_DAMAGES = 20;

function addDamage(problems: Problems, text: string): void {
  problems.isDamaged = true;
  if (problems.lines.length < MAX_DAMAGES) problems.lines.push(text);
  else if (problems.lines.length === MAX_DAMAGES) problems.lines.push('... and more that is damaged');
}

async function* read(
  name: string,
  { names, listed, verb, bounds, origin = ALL_HOSTS, selection, thread, read: count }: Inputs,
  shared: Pick<SamplesOptions, 'stacks' | 'known' | 'assumeTimeMs'>,
  problems: Problems,
): AsyncGenerator<Sample> {
  const notes: InputNotes = {};
  let found = false;
  let isDamaged = false;
  let isSought = false;
  let span: Span | undefined;
  const options = {
    ...shared,
    notes,
    isListed: listed?.has(name) === true,
    ...(bounds !== undefined && { bounds }),
    ...(count !== undefined && { read: count }),
    ...(thread !== undefined && { thread }),
    sought: () => {
      found = true;
      isSought = true;
    },
    damaged: (text: string) => {
      isDamaged = true;
      addDamage(problems, text);
    },
  };
  try {
    const intern = (frames: readonly Frame[]) => shared.stacks.intern(frames);
    // Samples of several sources are compared as a whole.
    const part = { origin, bounds, selection: names.length === 1 ? selection : undefined };
    const samples = isTarget(name) ? databaseSamples(name, part, intern) : samplesOf(name, options);
    for await (const sample of samples) {
      span = spanWith(span, sample);
      if (saysNothing(sample) || !isHostIn(origin.hosts, sample.host)) continue;
      found = true;
      yield sample;
    }
  } catch (error) {
    const unread = whyUnread(error, name, verb);
    if (unread === undefined) throw error;
    problems.lines.push(toldUnread(error, isTarget(name) ? 'the database' : shownName(name), unread));
    problems.unread++;
    return;
  }
  if (!isSought && !isTarget(name)) problems.spans.set(name, span);
  const why = found || isDamaged ? undefined : whyNoSample(notes);
  if (why !== undefined) {
    problems.lines.push(`${name === DASH ? 'the input' : shownName(name)} ${why}`);
    problems.unread++;
    return;
  }
  if (notes.cut !== undefined) problems.lines.push(`${shownName(name)}: ${notes.cut}`);
  if (notes.odd !== undefined) problems.lines.push(await toldOdd(name, notes.odd));
  if (notes.folded === true && TIMED_VERBS.has(verb))
    problems.lines.push(
      `${shownName(name)} has folded stacks, which tell neither when nor for how long: kstack explain shows what they wait for`,
    );
  if (found) return;
  if (isDamaged) problems.unread++;
  else if (origin.hosts.length === 0 && !isTarget(name))
    problems.empty.push(name === DASH ? 'the input' : shownName(name));
}

/** Commands that tell for how long tasks wait. */
const TIMED_VERBS: ReadonlySet<string> = new Set(['report', 'diff']);

/** Such is the sample of a text that has only lines that are too long. */
function saysNothing(sample: Sample): boolean {
  const isPlaced = sample.timeMs !== undefined || sample.uptimeSeconds !== undefined || sample.events !== undefined;
  return !isPlaced && sample.unread.length === 0 && sample.observations.length === 0;
}

/** Says on standard error what was wrong with the files. */
export function tellProblems({ lines, empty, repeated }: Problems): void {
  for (const line of lines) writeStderr(`kstack: ${line}\n`);
  for (const name of empty) writeStderr(`kstack: nothing in ${name} looks like a kernel stack or a recording\n`);
  if (repeated > 0)
    writeStderr(`kstack: ${repeated} sample${repeated === 1 ? ' was' : 's were'} there twice, and counted once\n`);
}

/** Whether a file gave nothing, or not all it has: the exit code tells. */
export function hasFailed({ empty, unread, isDamaged }: Problems): boolean {
  return isDamaged || empty.length + unread > 0;
}
