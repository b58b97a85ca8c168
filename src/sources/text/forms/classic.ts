import type { Reading } from '../../../model/reading.ts';
import { parseFrame } from '../../../model/stack.ts';
import { headerOf, type LineParser, LONGEST_LINE } from '../line.ts';

/**
 * With -L, the line also has the TID and the name of the thread, which may contain anything. A task of which little
 * could be read has `?` for its numbers and state, and an unknown start.
 */
const BLANKS = ' {1,10}';
const NUMBER = String.raw`(?:(\d{1,10})|\?)`;
const START = String.raw`Start Time: (?:([\d/]{1,20} [\d:]{1,20})|unknown)`;
const TASK = new RegExp(
  `^PID:${BLANKS}${NUMBER}${BLANKS}(?:TID:${BLANKS}${NUMBER}${BLANKS})?State:${BLANKS}(\\S)${BLANKS}` +
    `${START}${BLANKS}(?:Thread: (.{0,64}?) {3})?Cmd: ?(.*)$`,
  's',
);

/** The word for unknown values. */
const UNKNOWN = 'unknown';

/** Others print guesses, modules before functions and parentheses there, and Markdown marks each underscore. */
const FRAME = /^\[<[0-9a-f]{1,16}>\] (?![^+]{0,100}\\_)[^\s?:(]/;

/**
 * The classic text of kstack and oled-kstack (docs/oled.md). Frames are as in /proc/PID/stack. Names and symbols may
 * contain anything, so a line must be as it was written.
 */
export const classic: LineParser = (line) => {
  if (line.startsWith('[<') && FRAME.test(line)) {
    const frame = parseFrame(line);
    return frame.symbol === line.trim() ? undefined : { kind: 'frame', frame };
  }
  if (line === 'Stack:') return { kind: 'begin' };
  const task = TASK.exec(line);
  if (task === null) return undefined;
  const [, pid, tid, state, startLocal, thread, command] = task;
  const name = known(thread ?? command);
  // Without -L, the number may be a TID: a thread selected by its TID is shown with that.
  const header = headerOf(thread === undefined ? { name, tid: pid, state } : { name, tid, pid, state });
  // A process without a command line is called by its name.
  const isCalled = thread !== undefined && known(command) !== undefined && known(command) !== name;
  const isCut = line.length >= LONGEST_LINE;
  return {
    kind: 'sharing-task',
    header: {
      ...header,
      ...(thread === undefined && { isProcess: true }),
      ...(startLocal !== undefined && { startLocal }),
      ...(isCalled && command !== undefined && { command: commandLine(command, isCut) }),
    },
  };
};

/** The NULs behind its arguments were printed as blanks: the last one is known. */
function commandLine(printed: string, isCut: boolean): Reading<string> {
  if (isCut) return { value: printed, cut: true };
  return { value: printed.endsWith(' ') ? `${printed.slice(0, -1)}\0` : printed };
}

function known(shown: string | undefined): string | undefined {
  const text = shown?.trim();
  return text === UNKNOWN ? undefined : text;
}
