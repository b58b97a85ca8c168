import { isWellKnown } from './functions.ts';
import { type Header, headerOf, type Line, type LineParser } from './line.ts';
import { frameOf } from './patterns.ts';

const NAME = String.raw`[A-Za-z_][\w.*]{0,127}`;
/** 0x.tools: outermost first. */
const ARROWS = new RegExp(`(?:->)?(${NAME}\\(\\)(?:->${NAME}\\(\\)){1,200})`);
/** perf-sched(1) timehist: innermost first. */
const CALLERS = new RegExp(`(?:^|\\s)(${NAME}(?: <- ${NAME}){1,200})\\s{0,4}$`);
/** Tables of 0x.tools: innermost first. The kernel's stack is the last one. */
const OFFSET = String.raw`[\w.$]{1,128}\+0x[0-9a-f]{1,8}`;
const COLUMNS = new RegExp(`[,'"](${OFFSET}(?:;${OFFSET}){0,200})['"]?\\s{0,4}$`);

const PROGRAM = /^(?:main|_start|__libc_\w+|start_thread|clone3?)$/;

/** xcapture's rows, those of timehist, and of xstack. */
const XCAPTURE = /\s(\d{1,10})\s{1,12}(\d{1,10})\s{1,4}([RSDTtXZI])\s{1,8}\S{1,32}\s{1,16}\((.{1,32}?)\)/;
const TIMEHIST = /\[\d{4}\]\s{1,4}(\S.{0,32}?)\[(\d{1,10})(?:\/(\d{1,10}))?\]\s/;
const XSTACK = /,(\d{1,10}),(\d{1,10}),([^,]{1,32}),([A-Z]{3,16}),/;
const SNAPPER = /\|\s{1,8}\((.{1,32}?)\)\s{1,32}\| (\w)/;
const STATES: Readonly<Record<string, string>> = { RUNNING: 'R', SLEEP: 'S', DISK: 'D' };

/** A whole stack in one line. */
export const chains: LineParser = (line) => {
  if (line.includes('()->')) {
    const names =
      ARROWS.exec(line)?.[1]
        ?.split('->')
        .map((name) => name.slice(0, -2)) ?? [];
    return stackOf(names.reverse(), headerIn(line));
  }
  if (line.includes(' <- ')) return stackOf(CALLERS.exec(line)?.[1]?.split(' <- ') ?? [], headerIn(line));
  if (!line.includes(';') && !line.includes(',')) return undefined;
  const column = line.includes('+0x') ? COLUMNS.exec(line)?.[1]?.split(';') : undefined;
  if (column === undefined) return undefined;
  const names = column.map((each) => each.replace(/\+0x\w+$/, ''));
  return names.some((name) => PROGRAM.test(name)) ? undefined : lineOf(names, headerIn(line));
};

function stackOf(names: readonly string[], header: Header): Line | undefined {
  return names.some(isWellKnown) ? lineOf(names, header) : undefined;
}

function lineOf(names: readonly string[], header: Header): Line {
  const frames = names.map((name): Line => ({ kind: 'frame', frame: frameOf(name, name) }));
  return { kind: 'lines', lines: [{ kind: 'label', header }, ...frames, { kind: 'label', header: {} }] };
}

function headerIn(line: string): Header {
  const [, tid, pid, state, name] = XCAPTURE.exec(line) ?? [];
  if (tid !== undefined) return headerOf({ tid, pid, state, name });
  const [, comm, first, second] = TIMEHIST.exec(line) ?? [];
  if (first !== undefined) return headerOf({ name: comm, tid: first, pid: second });
  const [, thread, process, called, word] = XSTACK.exec(line) ?? [];
  if (thread !== undefined) return headerOf({ tid: thread, pid: process, name: called, state: STATES[word ?? ''] });
  const [, snapped, letter] = SNAPPER.exec(line) ?? [];
  return headerOf({ name: snapped, state: letter });
}
