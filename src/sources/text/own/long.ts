import { MAX_DURATION_MS } from '../../../model/duration.ts';
import type { KernelFacts, Observation, Sample } from '../../../model/sample.ts';
import type { Frame, Stack } from '../../../model/stack.ts';
import type { Task } from '../../../model/task.ts';
import type { InternedStacks } from '../interned.ts';
import { stateOf } from '../line.ts';
import { Stamps } from '../stamps.ts';
import { isUnreadable } from './fields.ts';
import { frameOf } from './frames.ts';
import { MOST_TASKS } from './recorded-sample.ts';
import { nameShownAs } from './shown-name.ts';
import type { UnnamedTasks } from './unnamed.ts';

/** `Wed Nov 25 07:44:35 UTC 2026 - lab-a - Linux 6.18.44`. A host name may contain anything. */
const TITLE =
  /^(?:(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \S{1,10} \d{4})|at an unknown time)(?: - (?!Linux )(.{1,255}?))?(?: - Linux (\S{1,128}))?$/s;
const DURATION = String.raw`\d{1,12}(?:\.\d{1,3})? (?:s|min|h|d)(?: \d{1,2} (?:s|min|h))?`;
/** `2 tasks (9.1 %)  blocked for 3.1 s to 4 min 12 s  waits for ...` */
const GROUP = new RegExp(
  String.raw`^(\s{0,40})(\d{1,9}) tasks? \((?:\d{1,3}\.\d %|(not selected))\) {1,4}(?:blocked|idle|(running)|unexplained)` +
    String.raw`(?: for (at least )?(${DURATION})( to ${DURATION})?)? {1,4}(\S.*)$`,
  's',
);
const ROW = /^\s{0,8}(tasks|stack|wchan|call|behind|causes|next|rule)\s{1,8}(\S.*)$/s;
const SUMMARY = /^\s{0,40}\d{1,9} tasks? seen: \d+ blocked, /;
/** What the kernel said is quoted here: it is no line of a log. */
const EVENT = /event {5}(?:\S{10} \S{8} {2}|[\d.]{1,20} s after boot {2})?[\w-]{1,16}: /;
const STACK_UNREAD = /: the stack could not be read \((\w{1,32})\)/;
/** `xfs_log_force             +0x84/0x2c0   [xfs]`; of another tool's stack, anything. */
const FRAME =
  /^(\S.{0,4095}?)(?:\s{1,60}\+0x([0-9a-f]{1,13})(?:\/0x([0-9a-f]{1,13}))?)?(?:\s{1,60}\[(\S.{0,254}?)\])?$/s;
/** `writer x 2: 5201/5201 5202/5202  root  D  cpu 0-1`, up to the numbers. */
const TASKS = /^(.{0,600}?)(?: x (\d{1,9}))?: (?=[\d?])/s;
const NUMBERS = /^(\d{1,10}|\?)(?:\/(\d{1,10}|\?))?$/;
const CPUS = /(?:^|\s)cpu ([\d,-]{1,4000})$/;
const MORE = /^\.\.\. \d{1,9} more lines \(\+\d{1,9} tasks\)$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const COLOUR = /\x1b\[[\d;]{0,20}m/g;
/** Of a mail, a table or a chat. */
const QUOTE = /^\s{0,8}(?:[>|│] ?){1,8}/;
const MOST_FRAMES = 4096;

const NOT_TOLD = { unread: 'notTold' } as const;
const DURATION_UNITS: Readonly<Record<string, number>> = { s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };

type Label = 'tasks' | 'stack' | 'wchan' | 'other';

/** Tasks of one line that differ in nothing but their numbers. */
interface Alike {
  readonly count: number;
  readonly numbers: readonly string[];
  readonly attributes: string;
  readonly name: string;
}

/** A paragraph, as far as it was read. */
interface Group {
  readonly indent: number;
  readonly count: number;
  readonly isHolder: boolean;
  /** Of each of its tasks, if that is told. */
  readonly facts: KernelFacts | undefined;
  readonly sentence: string;
  label: Label;
  readonly tasks: Alike[];
  readonly frames: Frame[];
  readonly wchans: string[];
}

/** The output of `kstack -f long`, also among other text. */
export class LongOutput {
  readonly #stacks: InternedStacks;
  readonly #unnamed: UnnamedTasks;
  #place: Pick<Sample, 'timeMs' | 'host' | 'kernel'> = {};
  #group: Group | undefined;
  #isThreads = false;
  #observations: Observation[] = [];
  #holders: Observation[] = [];
  #leftOut = 0;
  /** The samples that are complete. The caller empties the list. */
  found: Sample[] = [];

  constructor(stacks: InternedStacks, unnamed: UnnamedTasks) {
    this.#stacks = stacks;
    this.#unnamed = unnamed;
  }

  /** Takes the next line. Returns whether it is a part of the output. */
  take(line: string): boolean {
    if (line.includes('event     ') && EVENT.test(line)) return true;
    if (this.#group === undefined && !mayBegin(line)) return false;
    const text = (line.includes('\x1b') ? line.replaceAll(COLOUR, '') : line).replace(QUOTE, '').trimEnd();
    const title = TITLE.exec(text.trimStart());
    if (title !== null) {
      this.end();
      this.#place = placeIn(title);
      // Without a paragraph, date(1) has printed it.
      return false;
    }
    const group = GROUP.exec(text);
    if (group !== null) {
      this.#endGroup();
      this.#group = groupOf(group);
      return true;
    }
    if (SUMMARY.test(text)) {
      this.end();
      this.#place = {};
      return true;
    }
    return this.#group !== undefined && this.#takeRow(this.#group, text);
  }

  /** Ends the sample that is being read. */
  end(): void {
    this.#endGroup();
    if (this.#observations.length + this.#holders.length > 0) {
      this.found.push({
        ...this.#place,
        source: { name: 'text' },
        threads: this.#isThreads,
        fields: [],
        observations: this.#observations,
        holders: this.#holders,
        leftOut: this.#leftOut === 0 ? {} : { lines: this.#leftOut },
        unread: [],
      });
    }
    this.#isThreads = false;
    this.#observations = [];
    this.#holders = [];
    this.#leftOut = 0;
  }

  #takeRow(group: Group, text: string): boolean {
    if (text.trim() === '') {
      this.#endGroup();
      return true;
    }
    const row = text.slice(Math.min(group.indent, text.length - text.trimStart().length));
    const [, label, content] = ROW.exec(row) ?? [];
    if (label !== undefined && content !== undefined) {
      group.label = label === 'tasks' || label === 'stack' || label === 'wchan' ? label : 'other';
      this.#addRow(group, content);
      return true;
    }
    if (!/^\s{4}/.test(row)) {
      this.#endGroup();
      return false;
    }
    this.#addRow(group, row.trimStart());
    return true;
  }

  #addRow(group: Group, content: string): void {
    if (group.label === 'tasks') {
      const alike = alikeIn(content);
      if (alike !== undefined && group.tasks.length < MOST_TASKS) group.tasks.push(alike);
      else if (!MORE.test(content)) this.#leftOut++;
    } else if (group.label === 'stack') {
      const frame = frameIn(content);
      if (frame !== undefined && group.frames.length < MOST_FRAMES) group.frames.push(frame);
      else this.#leftOut++;
    } else if (group.label === 'wchan') group.wchans.push(content);
  }

  #endGroup(): void {
    const group = this.#group;
    this.#group = undefined;
    if (group === undefined) return;
    const list = group.isHolder ? this.#holders : this.#observations;
    const stack = this.#stackOf(group);
    const [wchan] = group.wchans.length === 1 ? group.wchans : [];
    const shared = {
      stack,
      ...(wchan !== undefined && { wchan }),
      ...(group.facts !== undefined && { facts: group.facts }),
    };
    let known = 0;
    for (const alike of group.tasks) {
      const { name, numbers, attributes, count } = alike;
      for (const number of numbers) {
        this.#isThreads ||= number.includes('/');
        if (list.length < MOST_TASKS) list.push({ ...observationOf(name, number, attributes), ...shared });
        else this.#leftOut++;
      }
      const more = count - numbers.length;
      const unnumbered = { ...observationOf(name, '?', attributes), ...shared };
      if (more > 0) this.#leftOut += this.#unnamed.add(list, unnumbered, more);
      known += count;
    }
    const unnamed = { task: { id: {}, commandLine: NOT_TOLD }, ...shared };
    if (group.count > known) this.#leftOut += this.#unnamed.add(list, unnamed, group.count - known);
    if (this.#observations.length >= MOST_TASKS) this.end();
  }

  #stackOf({ frames, sentence }: Group): Observation['stack'] {
    const [, why] = STACK_UNREAD.exec(sentence) ?? [];
    if (frames.length === 0 && isUnreadable(why)) return { unread: why };
    const stack: Stack = this.#stacks.intern(frames);
    return { value: stack };
  }
}

/** Quick: it is asked for every line of a log. */
function mayBegin(line: string): boolean {
  return line.includes(' task') || line.includes(' - ') || line.includes('at an unknown time');
}

function placeIn([, time, host, kernel]: readonly (string | undefined)[]): Pick<Sample, 'timeMs' | 'host' | 'kernel'> {
  // The same time in the same words begins a classic sample.
  const stamps = new Stamps();
  stamps.take(`zzz <${time ?? 'unknown'} - ${host ?? 'unknown'}`);
  const { timeMs, host: name } = stamps.now.told;
  return {
    ...(timeMs !== undefined && { timeMs }),
    ...(name !== undefined && { host: name }),
    ...(kernel !== undefined && { kernel }),
  };
}

function groupOf([, indent = '', count, holder, running, atLeast, since, until, sentence = '']: readonly (
  | string
  | undefined
)[]): Group {
  return {
    indent: indent.length,
    count: Number(count),
    isHolder: holder !== undefined,
    // Of several times, nobody knows which is whose.
    facts:
      since === undefined || until !== undefined
        ? undefined
        : {
            ...factsOf(millisecondsOf(since), running !== undefined),
            ...(atLeast !== undefined && { atLeast: true }),
          },
    sentence,
    label: 'other',
    tasks: [],
    frames: [],
    wchans: [],
  };
}

function factsOf(milliseconds: number, isRunning: boolean): KernelFacts {
  return isRunning ? { onCpuMs: milliseconds } : { offCpuMs: milliseconds };
}

function millisecondsOf(duration: string): number {
  let sum = 0;
  for (const [, number, unit = ''] of duration.matchAll(/([\d.]+) (\w+)/g))
    sum += Math.round(Number(number) * (DURATION_UNITS[unit] ?? 0));
  return Math.min(sum, MAX_DURATION_MS);
}

function alikeIn(content: string): Alike | undefined {
  const [head, name, times] = TASKS.exec(content) ?? [];
  if (head === undefined || name === undefined) return undefined;
  const count = times === undefined ? 1 : Number(times);
  const numbers: string[] = [];
  // Behind the numbers there may be a user who has no name but a number.
  let rest = content.slice(head.length);
  while (numbers.length < count) {
    const [word = ''] = /^\S+/.exec(rest) ?? [];
    if (!NUMBERS.test(word)) break;
    numbers.push(word);
    rest = rest.slice(word.length).trimStart();
  }
  return { name, count, numbers, attributes: rest.replace(/^\.\.\. \(\+\d{1,9}\)\s{1,2}/, '') };
}

function observationOf(name: string, number: string, attributes: string): Omit<Observation, 'stack'> {
  const [, first, second] = NUMBERS.exec(number) ?? [];
  const tid = numberIn(second ?? first);
  const pid = second === undefined ? undefined : numberIn(first);
  const { user, state, place, cpu } = attributesIn(attributes);
  const task: Task = {
    id: tid === undefined ? {} : { tid },
    ...(pid !== undefined && { pid }),
    ...namesIn(name, pid !== undefined && pid !== tid),
    commandLine: NOT_TOLD,
    ...userIn(user),
    ...(place?.startsWith('/') === true && { cgroup: { value: place } }),
  };
  return { task, ...(state !== undefined && { state }), ...(cpu !== undefined && { cpu }) };
}

/** The user if it was asked for, the state, the control group or container, and the CPUs. */
function attributesIn(text: string) {
  const [behind = '', cpus = ''] = CPUS.exec(text) ?? [];
  const known = text.slice(0, text.length - behind.length).trimEnd();
  // Whoever copied the text may have squeezed its blanks.
  const parts = known.split(known.includes('  ') ? '  ' : ' ');
  const isState = (part: string | undefined) => part === '?' || stateOf(part) !== undefined;
  const at = isState(parts[1]) ? 1 : isState(parts[0]) ? 0 : -1;
  return {
    user: at === 1 ? parts[0] : undefined,
    state: at === -1 ? undefined : stateOf(parts[at]),
    place: at === -1 ? undefined : parts.slice(at + 1).join('  '),
    cpu: /^\d{1,6}$/.test(cpus) ? Number(cpus) : undefined,
  };
}

function numberIn(word: string | undefined): number | undefined {
  return word === undefined || word === '?' ? undefined : Number(word);
}

/** `PROCESS/THREAD` where they differ. */
function namesIn(name: string, isThread: boolean): Pick<Task, 'comm' | 'processName'> {
  if (name === '?' || name === '') return {};
  const at = isThread ? name.indexOf('/') : -1;
  if (at === -1) return { comm: nameShownAs(name) };
  return { comm: nameShownAs(name.slice(at + 1)), processName: nameShownAs(name.slice(0, at)) };
}

function userIn(user: string | undefined): Pick<Task, 'user' | 'uid'> {
  if (user === undefined) return {};
  const [, why] = /^user not read: (\w+)$/.exec(user) ?? [];
  if (why !== undefined) return isUnreadable(why) ? { uid: { unread: why } } : {};
  return /^\d{1,10}$/.test(user) ? { uid: { value: Number(user) } } : { user };
}

function frameIn(content: string): Frame | undefined {
  const [, symbol, offset, size, module] = FRAME.exec(content) ?? [];
  if (symbol === undefined) return undefined;
  return frameOf({
    symbol,
    ...(offset !== undefined && { offset: Number.parseInt(offset, 16) }),
    ...(size !== undefined && { size: Number.parseInt(size, 16) }),
    ...(module !== undefined && { module }),
  });
}
