import { knownFunctions } from '../analysis/known-functions.ts';
import type { Sample } from '../model/sample.ts';
import type { Clock } from '../model/time.ts';
import { type InputNotes, InternedStacks } from '../sources/text/index.ts';
import { writeStderr } from '../terminal/output.ts';
import { localClock } from './local-clock.ts';
import { type SamplesOptions, samplesOf, whyUnread } from './samples.ts';

/** What there is to say about the files that samples were read from. */
export interface Problems {
  /** In the order in which they were found. */
  readonly lines: string[];
  /** Files without a sample. */
  readonly empty: string[];
}

const ASSUMED = 'times without a zone are taken for local time';

/** A stream, and its next sample. */
interface Head {
  readonly stream: AsyncGenerator<Sample>;
  sample: Sample;
  /** Where it belongs: a sample without a time stays behind the one before it. */
  timeMs: number;
}

/** The samples of all files in the order of their times, without the files that cannot be read. */
export async function* mergedSamples(
  names: readonly string[],
  problems: Problems,
  clock: Pick<Clock, 'nowMs' | 'zoneAt'>,
): AsyncGenerator<Sample> {
  const stacks = new InternedStacks();
  const known = knownFunctions();
  const local = localClock(clock);
  let isAssumed = false;
  const assumeTimeMs = (clockMs: number) => {
    if (!isAssumed) problems.lines.push(ASSUMED);
    isAssumed = true;
    return local(clockMs);
  };
  const heads: Head[] = [];
  for (const name of names) {
    const stream = read(name, { stacks, known, assumeTimeMs }, problems);
    const first = await stream.next();
    if (first.done === true) continue;
    heads.push({ stream, sample: first.value, timeMs: first.value.timeMs ?? 0 });
  }
  for (;;) {
    const earliest = heads.reduce<Head | undefined>(
      (least, head) => (least === undefined || head.timeMs < least.timeMs ? head : least),
      undefined,
    );
    if (earliest === undefined) return;
    yield earliest.sample;
    const next = await earliest.stream.next();
    if (next.done === true) heads.splice(heads.indexOf(earliest), 1);
    else {
      earliest.sample = next.value;
      earliest.timeMs = next.value.timeMs ?? earliest.timeMs;
    }
  }
}

/** The first of many say enough. */
const MAX_DAMAGES = 20;

function addDamage(problems: Problems, text: string): void {
  if (problems.lines.length < MAX_DAMAGES) problems.lines.push(text);
  else if (problems.lines.length === MAX_DAMAGES) problems.lines.push('... and more that is damaged');
}

type Shared = Pick<SamplesOptions, 'stacks' | 'known' | 'assumeTimeMs'>;

async function* read(name: string, shared: Shared, problems: Problems): AsyncGenerator<Sample> {
  const notes: InputNotes = {};
  let found = false;
  try {
    for await (const sample of samplesOf(name, { ...shared, notes, damaged: (text) => addDamage(problems, text) })) {
      found = true;
      yield sample;
    }
  } catch (error) {
    const unread = whyUnread(error, name, 'report');
    if (unread === undefined) throw error;
    problems.lines.push(`nothing in ${name} was read: ${unread}`);
    return;
  }
  if (notes.cut !== undefined) problems.lines.push(`${name}: ${notes.cut}`);
  if (!found) problems.empty.push(name);
}

/** Says on standard error what was wrong with the files. */
export function tellProblems({ lines, empty }: Problems): void {
  for (const line of lines) writeStderr(`kstack: ${line}\n`);
  for (const name of empty) writeStderr(`kstack: nothing in ${name} looks like a kernel stack or a recording\n`);
}
