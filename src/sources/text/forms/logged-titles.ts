import type { Frame } from '../../../model/stack.ts';
import { isOwnReport, isScheduler } from '../functions.ts';
import { type Header, headerOf, type Line } from '../line.ts';
import type { Assembly } from '../stacks/assembly.ts';
import { isComm, labels } from './labels.ts';

const COMM = '["\'\x60]?([A-Za-z][\\w./:@+-]{0,31}?)["\'\x60]?';
const PID = String.raw`(?:[Pp][Ii][Dd][ :=]{0,3})?(\d{2,10})\b(?![:.]?\d)`;
/** `process archiver[5001]`, `task archiver:5001`, `thread archiver, pid 5001` */
const WITH_WORD = new RegExp(
  String.raw`\b(?:[Tt]ask|[Pp]rocess|[Tt]hread|[Pp]rogram|comm)[ :=]{1,3}${COMM}(?: ?[[(]|[/:]|,? (?=[Pp][Ii][Dd]\b))${PID}`,
);
/** `stack of archiver/5001`, `request of archiver (pid 5001)` */
const BEHIND_WORD = new RegExp(String.raw`\b(?:of|for|in|by) (?:the )?${COMM}(?: ?[[(]|/)${PID}`);
const STATE = /\bstate[ :=]{1,3}([RSDTtXZI])\b/;
/** What a driver puts before its words. */
const DRIVER = /^\s{0,8}(?:\[[\w-]{1,32}\] |[\w.-]{1,40}(?: [\w.:-]{1,40})?: ){1,3}/;
const AUDIT = /^\s{0,8}(?:audit\b|type=\d{4})/;
const LONGEST = 200;
const LONGEST_WITHOUT_TASK = 80;
/** `Call Trace:` and `<TASK>`. */
const MOST_BETWEEN = 4;

/**
 * The task in a line of a log that a driver prints before it prints a stack; nothing in it if only the look of the line
 * tells that something follows; undefined if it is no title. In other places such lines say nothing of a stack.
 */
function titleIn(text: string): Header | undefined {
  if (text.length > LONGEST || AUDIT.test(text)) return undefined;
  const [, name, tid] = WITH_WORD.exec(text) ?? BEHIND_WORD.exec(text) ?? [];
  if (name !== undefined && isComm(name)) return headerOf({ name, tid, state: STATE.exec(text)?.[1] });
  const known = labels(text) ?? labels(text.replace(DRIVER, ''));
  if (known?.kind === 'label' && known.header.tid !== undefined) return known.header;
  return text.length <= LONGEST_WITHOUT_TASK && text.trimEnd().endsWith(':') ? {} : undefined;
}

/** The titles that stand in a log directly before a stack: the stack tells that they are some. */
export class LoggedTitles {
  /** The line that may be one. */
  #text: string | undefined;
  /** Of what it is a line. */
  #assembly: Assembly | undefined;
  #between: Line[] = [];

  /** Takes a line of a log that says nothing of a stack; undefined if it is not that of a log. */
  note(text: string | undefined, assembly: Assembly): void {
    this.#text = text;
    this.#assembly = assembly;
    if (this.#between.length > 0) this.#between = [];
  }

  /** The lines to take before this one: the title, if it was one, and again what stood between. */
  before(line: Line, assembly: Assembly): readonly Line[] {
    const text = this.#text;
    if (text === undefined) return [];
    if (assembly === this.#assembly && (line.kind === 'begin' || line.kind === 'task-begin')) {
      this.#between.push(line);
      if (this.#between.length <= MOST_BETWEEN) return [];
    }
    const between = this.#between.splice(0);
    this.#text = undefined;
    const frame = assembly === this.#assembly ? frameOf(line) : undefined;
    if (frame === undefined || isOwnReport(frame)) return [];
    if (assembly.hasFrames ? !isScheduler(frame) || !assembly.isBeyondScheduler : assembly.hasTask) return [];
    const header = titleIn(text);
    if (header === undefined) return [];
    return [{ kind: 'label', header, weak: true }, ...between];
  }
}

function frameOf(line: Line): Frame | undefined {
  if (line.kind === 'lines') return line.lines[0] === undefined ? undefined : frameOf(line.lines[0]);
  return line.kind === 'frame' || line.kind === 'guess' ? line.frame : undefined;
}
