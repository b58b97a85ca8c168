import type { Frame } from '../../../model/stack.ts';
import { isEntry, isOutermost, isScheduler } from '../functions.ts';
import { isSameMoment, type Stamp } from '../stamps.ts';
import type { Place, Seam } from './text-stack.ts';

/** Between two parts of a stack stands an answer of at most so many lines. */
const LONGEST_ANSWER = 40;
/** The same where numbers or times tell that it is one stack. */
const LONGEST_GAP = 200;

/** A stack, or what may be the rest of one. */
export interface Part {
  readonly frames: readonly Frame[];
  readonly stamp: Stamp;
  readonly seam: Seam;
}

/** Functions that others call to wait: they stand at the inner end of a stack, and not behind other functions. */
const WAITS =
  /^(?:_{0,2}wait_for_com(?:mon|pletion)\w*|_{0,2}mutex_lock\w*|_{0,2}down_(?:read|write)\w*|(?:call_)?rwsem_down_\w+|(?:wait_on_page|folio_wait)_bit\w*|schedule_timeout\w*)$/;

/** Whether `rest` is no stack of its own, but what follows on `before`. */
export function goesOn(before: Part, rest: Part): boolean {
  const { begins, isRest, firstNumber } = rest.seam;
  const { gap } = begins;
  const last = before.frames.at(-1);
  if (!isRest || gap.lines > LONGEST_GAP || begins.caller !== before.seam.ends.caller) return false;
  if (last === undefined || isOutermost(last.symbol, before.frames.at(-2))) return false;
  if (firstNumber !== undefined && firstNumber - 1 === before.seam.lastNumber) return true;
  const [first] = rest.frames;
  if (first === undefined || isScheduler(first)) return false;
  if (WAITS.test(first.symbol) && !WAITS.test(last.symbol) && !isScheduler(last)) return false;
  if (isSurely(before, rest)) return true;
  if (gap.lines > LONGEST_ANSWER) return false;
  return isAcrossAnswer(before.seam.ends, begins) || isEntryOnly(rest.frames) || isAcrossCut(before, rest);
}

/** By the times of a log, or the marks around the stack. */
function isSurely(before: Part, { stamp, seam }: Part): boolean {
  if (before.seam.isOpen && seam.closes) return true;
  const { endStamp, ends } = before.seam;
  return ends.isLogged && seam.begins.isLogged && isTold(endStamp) && isTold(stamp) && isSameMoment(endStamp, stamp);
}

function isTold({ told, clockMs }: Stamp): boolean {
  return told.uptimeSeconds !== undefined || told.timeMs !== undefined || clockMs !== undefined;
}

/** Whether somebody has written something between two quoted lines of a mail. */
function isAcrossAnswer(ends: Place, { quotes, gap }: Place): boolean {
  return quotes > 0 && quotes === ends.quotes && gap.words > 0 && gap.quotes < quotes;
}

/** Whether nothing but marks for what was left out, or blank lines in the trace of a log, stand between. */
function isAcrossCut(before: Part, { seam }: Part): boolean {
  const { begins } = seam;
  const { ends, isTrace } = before.seam;
  const { words, cuts, lines } = begins.gap;
  const isAlike = ends.isLogged === begins.isLogged && ends.quotes === begins.quotes;
  return words === 0 && isAlike && (cuts > 0 || (isTrace && lines > 0));
}

/** Whether these functions only say how the task came into the kernel. */
export function isEntryOnly(frames: readonly Frame[]): boolean {
  return frames.every(isEntry);
}

/**
 * Whether all that these functions say is whose thread it is: where a log begins in the midst of a stack, what the
 * thread did is lost. In a whole one, the scheduler's functions stand before these.
 */
function isThreadOnly(frames: readonly Frame[]): boolean {
  const isThread = frames.some(({ symbol }) => symbol === 'kthread');
  return isThread && frames.filter((frame) => !isEntry(frame)).length === 1;
}

/** Whether this was left of a stack that is lost, or is printed once more: it says nothing of a task. */
export function isScrap({ frames, seam }: Part, before: Part | undefined): boolean {
  if (frames.length === 0) return false;
  if (isEntryOnly(frames) || (seam.isRest && seam.begins.isLogged && isThreadOnly(frames))) return true;
  return before !== undefined && seam.isRest && seam.begins.gap.lines <= LONGEST_ANSWER && frames.every(isScheduler);
}
