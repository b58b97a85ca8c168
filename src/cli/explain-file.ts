import { knownFunctions } from '../analysis/explain/known-functions.ts';
import { InputError } from '../files/input-file.ts';
import type { Sample } from '../model/sample.ts';
import type { Selection } from '../model/selection.ts';
import { systemClock } from '../native/clock.ts';
import { format } from '../sinks/explanation.ts';
import { formatUnread } from '../sinks/unread.ts';
import { InternedStacks } from '../sources/text/interned.ts';
import type { InputNotes } from '../sources/text/wrapping/decoded.ts';
import { shownName } from '../terminal/escape.ts';
import { writeStderr } from '../terminal/output.ts';
import { writeProse } from '../terminal/prose.ts';
import { selectedSamples } from './file-samples.ts';
import { toldOdd } from './line-at.ts';
import { DASH } from './read-once.ts';
import type { NamedFiles } from './recordings-in.ts';
import { samplesOf, toldUnread, whyNoSample, whyUnread } from './samples.ts';

const MAX_PROBLEMS = 20;

export interface ExplainOptions extends NamedFiles {
  /** Undefined for all tasks. */
  readonly selection: Selection | undefined;
  /** Whether to name the rules. */
  readonly why: boolean;
}

/** For the messages at the end. */
interface Found {
  hasStacks: boolean;
  /** Files without a stack. */
  emptyFiles: number;
  /** Whether a recording, json or jsonl has lost something. */
  isDamaged: boolean;
  guesses: number;
  lines: number;
  mixed: number;
  /** What the first samples say could not be read. */
  unread: string[];
  /** The samples with more of that. */
  unreadSamples: number;
}

const MOST_UNREAD_LINES = 20;

/**
 * Explains the stacks in files, or on standard input. Returns the exit code: 1 if there are none in one of them, or if
 * one is damaged.
 * @throws Error if a file cannot be read
 */
export async function explainFiles({ names, listed, selection, why }: ExplainOptions): Promise<number> {
  const found: Found = {
    hasStacks: false,
    emptyFiles: 0,
    isDamaged: false,
    guesses: 0,
    lines: 0,
    mixed: 0,
    unread: [],
    unreadSamples: 0,
  };
  const context = { zoneAt: systemClock().zoneAt, colour: false, full: why, annotate: false };
  const problems: string[] = [];
  const pieces: string[] = [];
  const all = allSamples({ names: names.length === 0 ? [DASH] : names, listed }, found, problems);
  const samples = selection === undefined ? all : selectedSamples(all, selection, problems, true);
  for await (const piece of format.write(samples, context)) pieces.push(String(piece));
  if (found.hasStacks) await writeProse(pieces);
  const { guesses, lines, mixed, unread, unreadSamples } = found;
  for (const problem of problems) writeStderr(`kstack: ${problem}\n`);
  if (guesses > 0)
    writeStderr(
      `kstack: ${guesses} frame${guesses === 1 ? '' : 's'} marked ? left out: they may be left over from earlier calls\n`,
    );
  if (lines > 0)
    writeStderr(
      `kstack: ${lines} ${lines === 1 ? 'line or stack' : 'lines or stacks'} left out: too long, too many, or not as the others of a table\n`,
    );
  if (mixed > 0)
    writeStderr(
      `kstack: ${mixed} stack${mixed === 1 ? ' was' : 's were'} written into another: its frames, or its task, may be of that one\n`,
    );
  for (const line of unread) writeStderr(`kstack: in the sample: ${line}\n`);
  if (unreadSamples > 0) writeStderr(`kstack: ${unreadSamples} more samples say that something could not be read\n`);
  return found.emptyFiles > 0 || found.isDamaged ? 1 : 0;
}

async function* allSamples({ names, listed }: NamedFiles, found: Found, problems: string[]): AsyncGenerator<Sample> {
  const stacks = new InternedStacks();
  for (const name of names) {
    let isFound = false;
    const notes: InputNotes = {};
    const shown = name === DASH ? 'the input' : shownName(name);
    let isRead = false;
    try {
      const damaged = (text: string) => {
        isRead = true;
        found.isDamaged = true;
        if (problems.length < MAX_PROBLEMS) problems.push(text);
      };
      const isListed = listed?.has(name) === true;
      for await (const sample of samplesOf(name, { notes, stacks, known: knownFunctions, damaged, isListed })) {
        isRead = true;
        // To list the tasks of each sample of a recording takes most of the time.
        isFound ||= sample.observations.length + sample.holders.length > 0;
        found.hasStacks ||= isFound;
        note(sample, found);
        yield sample;
      }
    } catch (error) {
      const unread = whyUnread(error, shown, 'explain');
      if (unread === undefined || (names.length === 1 && error instanceof InputError)) throw error;
      problems.push(toldUnread(error, shown, unread));
      found.emptyFiles++;
      continue;
    }
    const why = isRead ? undefined : whyNoSample(notes);
    if (why === undefined && notes.cut !== undefined) problems.push(`${shown}: ${notes.cut}`);
    if (notes.odd !== undefined) problems.push(await toldOdd(name, notes.odd));
    if (isFound) continue;
    problems.push(
      why === undefined ? `nothing in ${shown} looks like a kernel stack${advice(notes)}` : `${shown} ${why}`,
    );
    found.emptyFiles++;
  }
}

/** What to do with something that is no text. */
function advice({ kind }: InputNotes): string {
  if (kind?.what === 'dump')
    return ': it is a dump of memory, or a program; of a dump of the kernel, paste what bt of crash or drgn prints';
  return kind?.what === 'other' ? `: it is ${kind.name}` : '';
}

function note(sample: Sample, found: Found): void {
  found.guesses += sample.leftOut.guessedFrames ?? 0;
  found.lines += sample.leftOut.lines ?? 0;
  found.mixed += sample.leftOut.mixed ?? 0;
  if (sample.unread.length === 0) return;
  if (found.unread.length >= MOST_UNREAD_LINES) found.unreadSamples++;
  else for (const line of formatUnread(sample.unread, sample.threads)) found.unread.push(line);
}
