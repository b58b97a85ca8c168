import { isScheduler, isWellKnown } from '../functions.ts';
import { type Header, headerOf, type Line, type LineParser } from '../line.ts';
import { frameOf } from './patterns.ts';

const NAME = String.raw`[A-Za-z_][\w.*]{0,127}`;
/** 0x.tools: outermost first. */
const ARROWS = new RegExp(`(?:->)?(${NAME}\\(\\)(?:->${NAME}\\(\\)){1,200})`);
/** perf-sched(1) timehist: innermost first. */
const CALLERS = new RegExp(`(?:^|\\s)(${NAME}(?: <- ${NAME}){1,200})\\s{0,4}$`);
/** Tables of 0x.tools: innermost first. The kernel's stack is the last one. */
const OFFSET = String.raw`[\w.$]{1,128}\+0x[0-9a-f]{1,8}`;
const COLUMNS = new RegExp(`[,'"](${OFFSET}(?:;${OFFSET}){0,200})['"]?\\s{0,4}$`);

/** As people write it: `schedule <- io_schedule`, `do_fsync -> schedule`. Nothing else is in the line. */
const ARROW = String.raw`\s{0,4}(?:->|=>|<-|<=|[→⇒←⇐<>])\s{0,4}`;
const WRITTEN = new RegExp(
  String.raw`^\s{0,8}["'\x60(]?(${NAME}(?:\(\))?(?:${ARROW}${NAME}(?:\(\))?){2,100})["'\x60)]?\.?\s{0,4}$`,
);

/** A monitor's one-line form of /proc/PID/stack: innermost first. */
const PLACE = String.raw`[A-Za-z_][\w.$]{0,127}\+0x[0-9a-f]{1,8}\/0x[0-9a-f]{1,8}(?:\s?\[[\w-]{1,64}\])?`;
const ARROWED = new RegExp(String.raw`(?:^|[\s=:"'\x60(])(${PLACE}(?:\s?→\s?${PLACE}){0,200})\s?→?`);
const MONITORED =
  /(?:^|[\s\x60"'])([A-Za-z][\w./:+-]{0,31}) pid[ =:](\d{1,10})\b(?:.{0,40}?\s([RSDTtXZI])[- ]state\b)?/;

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
  if (line.includes('→') && line.includes('+0x')) {
    const places = ARROWED.exec(line)?.[1]?.split('→') ?? [];
    if (places.length > 0) return arrowed(places, line);
  }
  const written = /[<>→⇒←⇐]/.test(line) && !line.includes('+0x') ? WRITTEN.exec(line)?.[1] : undefined;
  if (written !== undefined) return writtenChain(written.split(new RegExp(ARROW)));
  if (!line.includes(';') && !line.includes(',')) return undefined;
  const column = line.includes('+0x') ? COLUMNS.exec(line)?.[1]?.split(';') : undefined;
  if (column === undefined) return undefined;
  const names = column.map((each) => each.replace(/\+0x\w+$/, ''));
  return names.some((name) => PROGRAM.test(name)) ? undefined : lineOf(names, headerIn(line));
};

const CHAIN_FIRST = /^\s{0,8}["'\x60(]?[a-z_][\w.]{2,127}(?:\(\))?\s{0,4}(?:[<>→⇒←⇐]|[-=]>)/;
/** Innermost first: the first one is called by the second. */
const CALLED_BY = /^\s{0,4}(?:<[-=]?|[←⇐])\s{0,4}$/;
const LEAST_KNOWN = 3;

/** Whether a line may be a chain, by what is nearly free to see. */
export function mayBeChain(line: string): boolean {
  return CHAIN_FIRST.test(line);
}

/** A chain without the scheduler, if each of its names is a function that the kernel has: its arrows tell who calls whom. */
export function knownChain(line: string, known: ReadonlySet<string>): Line | undefined {
  const written = mayBeChain(line) ? WRITTEN.exec(line)?.[1] : undefined;
  if (written === undefined) return undefined;
  const names = written.split(new RegExp(ARROW)).map((part) => part.replace(/\(\)$/, ''));
  if (names.length < LEAST_KNOWN || !names.every((name) => known.has(name) || isWellKnown(name))) return undefined;
  const arrows = (written.match(new RegExp(ARROW, 'g')) ?? []).map((arrow) => CALLED_BY.test(arrow));
  if (new Set(arrows).size !== 1) return undefined;
  return lineOf(arrows[0] === true ? names : names.toReversed(), {});
}

/** The end at which the scheduler is, is the innermost one. Without it, it may be anything. */
function writtenChain(parts: readonly string[]): Line | undefined {
  const frames = parts.map((part) => part.replace(/\(\)$/, '')).map((name) => frameOf(name, name));
  const [first] = frames;
  const last = frames.at(-1);
  if (first === undefined || last === undefined || isScheduler(first) === isScheduler(last)) return undefined;
  const names = frames.map(({ symbol }) => symbol);
  return lineOf(isScheduler(first) ? names : names.reverse(), {});
}

function arrowed(places: readonly string[], line: string): Line {
  const frames = places.map((place): Line => {
    const [, symbol = '', offset = '', size = '', module] =
      /^\s?([\w.$]+)\+0x([0-9a-f]+)\/0x([0-9a-f]+)(?:\s?\[([\w-]+)\])?/.exec(place) ?? [];
    const parts = { offset: Number.parseInt(offset, 16), size: Number.parseInt(size, 16), module };
    return { kind: 'frame', frame: frameOf(symbol, place.trim(), parts) };
  });
  const [, name, tid, state] = MONITORED.exec(line) ?? [];
  const header = headerOf({ name, tid, state });
  return { kind: 'lines', lines: [{ kind: 'label', header }, ...frames, { kind: 'label', header: {} }] };
}

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
