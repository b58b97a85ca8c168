import { groupByStack } from '../analysis/group.ts';
import { commandLineText } from '../model/command-line.ts';
import { hasOnlyEvents, type Sample, startTimeSeconds } from '../model/sample.ts';
import type { Task } from '../model/task.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { formatDateLine, formatDateTime } from '../terminal/local-time.ts';
import { eachSample, type Format, type WriteContext } from './format.ts';

/** A piece is output once it has this length: a hostile process may have a line of megabytes. */
const PIECE = 1 << 18;
const UNKNOWN = 'unknown';

/** The classic format: a line with the time, then every stack below the tasks that share it (docs/oled.md). */
export const format: Format = { fields: [], facts: false, binary: false, write: eachSample(formatText) };

/** One sample in the classic format, in pieces. With threads, each line has the TID and the name of the thread. */
export function* formatText(sample: Sample, { zoneAt }: Pick<WriteContext, 'zoneAt'>): Generator<string> {
  if (hasOnlyEvents(sample)) return;
  const { threads } = sample;
  const seconds = Math.floor((sample.timeMs ?? 0) / 1000);
  const time = sample.timeMs === undefined ? UNKNOWN : formatDateLine(seconds, zoneAt(seconds));
  yield `zzz <${time} - ${escapeUnsafe(sample.host ?? UNKNOWN)}\n\n`;
  // Consecutive tasks often started within the same second: format it once.
  let started = Number.NaN;
  let when = '';
  for (const { stack, observations } of groupByStack(sample)) {
    let piece = '';
    for (const { task, state } of observations) {
      const second = startTimeSeconds(task, sample);
      if (second === undefined) {
        started = Number.NaN;
        when = task.id.startLocal ?? UNKNOWN;
      } else if (second !== started) {
        started = second;
        when = formatDateTime(started, zoneAt(started));
      }
      // Without threads, a thread selected by its TID is shown as a process with that number, as in the original.
      const pid = `PID: ${numberOf(threads ? task.pid : task.id.tid)}`;
      const tid = threads ? `   TID: ${numberOf(task.id.tid)}` : '';
      const name = threads ? `   Thread: ${escapeUnsafe(task.comm ?? UNKNOWN)}` : '';
      const start = `Start Time: ${when}${name}`;
      piece += `${pid}${tid}   State: ${(state ?? '?').padStart(2)}   ${start}   Cmd: ${escapeUnsafe(command(task))}\n`;
      if (piece.length < PIECE) continue;
      yield piece;
      piece = '';
    }
    // The stack, a line end and an empty line. If the stack is empty, that makes two empty lines.
    yield `${piece}Stack:\n${(stack?.frames ?? []).map(({ raw }) => escapeUnsafe(raw)).join('\n')}\n\n`;
  }
}

/** The command line; the comm if it is empty or could not be read. */
function command({ commandLine, comm }: Task): string {
  const text = 'value' in commandLine ? commandLineText(commandLine.value) : '';
  return text === '' ? (comm ?? UNKNOWN) : text;
}

function numberOf(number: number | undefined): string {
  return String(number ?? '?').padStart(5);
}
