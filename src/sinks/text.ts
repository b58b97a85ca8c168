import { type Group, type Sample, startTimeSeconds, type Task } from '../model/sample.ts';
import type { Clock } from '../model/time.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { formatDateLine, formatDateTime } from '../terminal/local-time.ts';

/** How long a piece of a sample becomes before it is given out: a hostile process may have a line of megabytes. */
const PIECE = 1 << 18;

export interface TextOptions {
  readonly zoneAt: Clock['zoneAt'];
  /** Names the thread in each line, with its TID and its name. The classic form has processes only. */
  readonly threads?: boolean;
}

/**
 * A sample in the classic form, piece by piece: a line with the time, then every stack below the tasks that share it.
 */
export function* formatText(
  sample: Sample,
  groups: readonly Group[],
  { zoneAt, threads = false }: TextOptions,
): Generator<string> {
  const seconds = Math.floor(sample.timeMs / 1000);
  yield `zzz <${formatDateLine(seconds, zoneAt(seconds))} - ${escapeUnsafe(sample.host)}\n\n`;
  // Many have begun within the same second, one behind the other.
  let started = Number.NaN;
  let when = '';
  for (const { stack, observations } of groups) {
    let piece = '';
    for (const { task, state } of observations) {
      const second = startTimeSeconds(task, sample);
      if (second === undefined) {
        started = Number.NaN;
        when = 'unknown';
      } else if (second !== started) {
        started = second;
        when = formatDateTime(started, zoneAt(started));
      }
      // Without threads, a thread that was asked for by its number stands for itself, as it always has.
      const pid = `PID: ${String(threads ? task.pid : task.tid).padStart(5)}`;
      const tid = threads ? `   TID: ${String(task.tid).padStart(5)}` : '';
      const name = threads ? `   Thread: ${escapeUnsafe(task.comm)}` : '';
      piece += `${pid}${tid}   State: ${state.padStart(2)}   Start Time: ${when}${name}   Cmd: ${escapeUnsafe(command(task))}\n`;
      if (piece.length < PIECE) continue;
      yield piece;
      piece = '';
    }
    // The text of the stack, a line end and an empty line: where there is no text, these are two empty lines.
    yield `${piece}Stack:\n${(stack?.frames ?? []).map(({ raw }) => escapeUnsafe(raw)).join('\n')}\n\n`;
  }
}

/** The command line, or the comm of a task that has none or whose could not be read. */
function command({ commandLine, comm }: Task): string {
  return 'value' in commandLine && commandLine.value !== '' ? commandLine.value : comm;
}
