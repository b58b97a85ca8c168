import type { Frame, Stack } from '../../model/stack.ts';
import { Assembly, NO_PLACE } from './assembly.ts';
import { BareNames, bareName, nameInTrace } from './bare-names.ts';
import { classic } from './classic.ts';
import { cleaned, QuotedPrintable } from './clean.ts';
import { isBroken } from './dmesg.ts';
import { InternedStacks } from './interned.ts';
import { type Header, headerOf, IGNORED, type Line } from './line.ts';
import { frameOf } from './patterns.ts';
import { bodyOf, unquoted } from './prefix.ts';
import { greppedTask } from './proc-stack.ts';
import { PsList, PsTable } from './ps.ts';
import { Recognizer, recognize } from './recognizer.ts';
import { goesOn, isScrap, type Part } from './rest.ts';
import { hasNearSign, hasSign, isNear, Skipped } from './skipped.ts';
import { isSameMoment, type Stamp, Stamps } from './stamps.ts';
import type { Assembled, LeftOut, Place, Seam, TextStack } from './text-stack.ts';
import { type Row, wchanAnswer, wchanAsked, wchanRow } from './wchan-rows.ts';
import { Wraps } from './wraps.ts';

const LONGEST_LINE = 4096;
/** Tasks and CPUs that print at the same time. */
const MOST_CALLERS = 256;

const MOST_FRAMES = 256;
/** Between the stack of the kernel and the task, tracers print that of the program, of at most so many lines. */
const MOST_OF_PROGRAM = 127;
/** A summary follows on so many tasks. */
const MOST_NAMED = 64;
const MOST_WAITERS = 256;
const MOST_LEARNED = 10_000;
/** Stacks of fewer functions are the same by chance. */
const LEAST_TOLD = 3;

/** `<IRQ>`, `<EOI>` and the like before a frame. Since 4.10 they are on a line of their own. */
const MARKED = /^\s{0,20}(<(?:IRQ|NMI|SOFTIRQ|#DB|#DF|EOI|<EOE>)>)\s{1,20}(\S.*)$/;
const MOST_MARKS = 4;
/** journalctl -o verbose and export: fields other than the message. */
const FIELD = /^\s{0,8}(?:_{0,2}[A-Z][A-Z0-9_]{2,64}=|\[s=[0-9a-f]{8,32};)/;
const MESSAGE = /^\s{0,8}MESSAGE=/;
/** A mark for lines that the writer has left out. */
const CUT = /^[\s[<({*~-]{0,12}(?:\.{2,12}|…|snip(?:ped)?|cut|snap|truncated|omitted|trimmed)[\s\])>}*~-]{0,12}$/i;
const LONGEST_CUT = 30;
const [PLUS, MINUS] = [43, 45];
/** A frame at whose end a narrow terminal, or a preview, has cut off the line. */
const TRUNCATED = /^\s{0,20}(?:\[<[0-9a-f]{8,16}>\] )?(\? )?([A-Za-z_]\w{3,60})(?:…|\.{3})\s{0,4}$/;
/** A frame in a diff. */
const SIDE = /^[+-]\s{0,8}(?:\[<|[\w.]{1,128}\+0x)/;
/** A whole report in one line, as some trackers show it. */
const ONE_LINE = /^(.{0,3000}?)\bCall [Tt]race: (\s{0,8}(?:\[<[0-9a-f]{1,16}>\]|[\w.]{1,128}\+0x).*)$/;
const FENCE = /^\s{0,8}(?:`{3}|~{3})\w{0,16}\s{0,4}$/;
/** So many lines in turn with blank ones: the text is double-spaced. */
const DOUBLE_SPACED = 3;

interface Waiter {
  readonly waiter: Header;
  readonly stamp: Stamp;
}

/**
 * Finds the stacks in the lines of a text of any known format, or a mix of formats. Never throws. Takes time and memory
 * linear in the text.
 */
export class StackFinder {
  /** The complete stacks. The caller empties the list. */
  found: TextStack[] = [];
  #cut = 0;
  readonly #stacks: InternedStacks;
  readonly #stamps = new Stamps();
  readonly #assemblies = new Map<string, Assembly>();
  #current: Assembly;
  /** The latest complete stack: what the next line says may belong to it. */
  #held: TextStack | undefined;
  readonly #bare: BareNames;
  readonly #known: ReadonlySet<string>;
  #table: PsTable | undefined;
  #list: PsList | undefined;
  readonly #wraps = new Wraps();
  readonly #quoted = new QuotedPrintable();
  readonly #recognizer = new Recognizer();
  readonly #skipped = new Skipped();
  #isField = false;
  #spacing = 0;
  #isAfterBlank = false;
  /** A line of a log without anything in it: a mail program may have broken it there. */
  #isAfterEmpty = false;
  #heldSeam: Seam | undefined;
  /** Tasks that were said to be hung or to wait for a lock, and had no stack so far. */
  #waiters: Waiter[] = [];
  /** The latest stacks whose tasks have names. */
  #named: Stack[] = [];
  /** What the text has said of tasks, and the host of the latest prompt. */
  readonly #learned = new Map<number, Header>();
  #host: string | undefined;
  #side: '+' | '-' | undefined;
  #place: Place = NO_PLACE;
  #gapLines = 0;
  #gapWords = 0;
  #gapQuotes = 0;
  #gapCuts = 0;

  /**
   * @param known names of functions that the kernel has, for stacks that are names and nothing else
   * @param stacks those of other texts, if equal stacks are to be one object in all of them
   */
  constructor(known: ReadonlySet<string> = new Set(), stacks = new InternedStacks()) {
    this.#stacks = stacks;
    this.#bare = new BareNames(known);
    this.#known = known;
    this.#current = new Assembly(this.#stamps.now, (assembled) => this.#complete(assembled));
    this.#assemblies.set('', this.#current);
  }

  /** What was left out since the last complete stack. */
  get leftOut(): LeftOut {
    const each = [...this.#assemblies.values()].map((assembly) => assembly.leftOut);
    const sum = (count: (leftOut: LeftOut) => number) => each.reduce((total, leftOut) => total + count(leftOut), 0);
    return { guesses: sum((l) => l.guesses), cut: this.#cut + sum((l) => l.cut), mixed: sum((l) => l.mixed) };
  }

  /** Takes the next line, without its line end. */
  take(line: string): void {
    // Quoted-printable, where lines ended with CR LF.
    const ended = line.endsWith('=0D') && !line.startsWith('PID:') ? line.slice(0, -3) : line;
    for (const whole of this.#wraps.take(ended)) this.#take(whole);
  }

  #take(line: string): void {
    if (line.length > LONGEST_LINE) this.#cut++;
    // The command line of a Java program has thousands of characters, but the task is named before it.
    const beginning = line.length > LONGEST_LINE ? line.slice(0, LONGEST_LINE) : line;
    const whole = this.#quoted.take(beginning);
    if (whole === undefined) return;
    if (this.#isSettled) {
      if (!hasSign(whole) || !this.#isKnown(whole)) {
        this.#skipped.add(whole);
        this.#gapLines++;
        return;
      }
      // The lines before it may say whose stack this is.
      for (const before of this.#skipped.take())
        if (isNear(before)) this.#read(before);
        else this.#stamps.take(before);
    }
    this.#read(whole);
  }

  /** Whether no stack has begun. */
  get #isSettled(): boolean {
    return this.#canSkip && !this.#quoted.isOn && (this.#assemblies.size === 1 || this.#areIdle());
  }

  get #canSkip(): boolean {
    return (
      this.#current.isIdle &&
      this.#bare.isEmpty &&
      this.#table === undefined &&
      this.#list === undefined &&
      !this.#recognizer.isWaiting
    );
  }

  /** Whether no caller has begun a stack. Forgets the callers then. */
  #areIdle(): boolean {
    for (const assembly of this.#assemblies.values()) if (!assembly.isIdle) return false;
    for (const [key, assembly] of this.#assemblies) if (assembly !== this.#current) this.#drop(key, assembly);
    this.#assemblies.clear();
    this.#assemblies.set('', this.#current);
    this.#mainHost = undefined;
    return true;
  }

  /** Whether this line belongs to a stack, or to what is printed well before one. */
  #isKnown(line: string): boolean {
    if (line.startsWith('zzz <')) return true;
    const { text, logged } = bodyOf(cleaned(line, this.#quoted.isOn));
    const known = inContext(recognize(text), logged);
    if (known !== undefined) return known !== IGNORED;
    if (bareName(text) !== undefined || PsTable.from(text) !== undefined || isBroken(text)) return true;
    return !logged && (wchanAsked(text) !== undefined || wchanRow(text, this.#known) !== undefined);
  }

  #read(line: string): void {
    this.#stamps.take(line);
    const own = classic(line);
    if (own !== undefined) {
      this.#endBareNames();
      this.#table = undefined;
      this.#isAfterBlank = false;
      this.#isAfterEmpty = false;
      this.#turnPlace(false, 0, undefined);
      if (!this.#recognizer.takePlace()) this.#step(own);
      return;
    }
    const clean = cleaned(line, this.#quoted.isOn);
    if (clean.trim() === '') {
      // A line of markup is none to its reader.
      this.#gapLines++;
      if (clean === line || line.trim() === '') this.#blank();
      return;
    }
    this.#spacing = this.#isAfterBlank ? this.#spacing + 1 : 0;
    this.#isAfterBlank = false;
    this.#isField = clean.includes('=') && FIELD.test(clean);
    if (this.#isField && !MESSAGE.test(clean)) return;
    const { text, caller, logged, quotes } = this.#recognizer.isInRow ? unquoted(clean) : bodyOf(clean);
    if (this.#isAfterEmpty && (logged || !text.includes('+0x'))) this.#empty();
    this.#isAfterEmpty = false;
    this.#turnTo(caller, logged);
    this.#turnPlace(logged, quotes, caller);
    if (text.trim() === '') {
      this.#gapLines++;
      if (logged) this.#isAfterEmpty = true;
      else this.#empty();
      return;
    }
    if (text.length < LONGEST_CUT && FENCE.test(text)) {
      this.#fence();
      return;
    }
    this.#turnToSide(text);
    if (isCutMark(text)) this.#gapCuts++;
    // While another caller prints a stack, most lines are none.
    if (logged && this.#canSkip && !hasSign(text) && !hasNearSign(text)) return;
    let rest = text;
    for (let marks = 0; marks < MOST_MARKS && rest.includes('<'); marks++) {
      const [, mark, behind] = MARKED.exec(rest) ?? [];
      if (mark === undefined || behind === undefined) break;
      this.#body(mark, logged);
      rest = behind;
    }
    this.#body(rest, logged);
  }

  /** In a diff of two traces, the old and the new one are two stacks. */
  #turnToSide(text: string): void {
    const code = text.charCodeAt(0);
    const sign = code === PLUS ? '+' : code === MINUS ? '-' : undefined;
    const side = sign !== undefined && SIDE.test(text) ? sign : undefined;
    if (side !== undefined && this.#side !== undefined && side !== this.#side && this.#current.hasFrames)
      this.#current.end();
    this.#side = side;
  }

  /** Markdown's mark around a stack: the title may stand before it. */
  #fence(): void {
    this.#gapLines++;
    this.#endBareNames();
    this.#table = undefined;
    if (this.#current.hasFrames) this.#current.end();
  }

  #empty(): void {
    this.#endBareNames();
    if (this.#current.hasFrames) this.#current.blank(false);
  }

  #turnPlace(isLogged: boolean, quotes: number, caller: string | undefined): void {
    const { isLogged: wasLogged, quotes: before, caller: last, gap } = this.#place;
    const isSame = isLogged === wasLogged && quotes === before && caller === last;
    if (isSame && gap.lines === 0 && this.#gapLines === 0) return;
    this.#place = {
      isLogged,
      quotes,
      caller,
      gap: { lines: this.#gapLines, words: this.#gapWords, quotes: this.#gapQuotes, cuts: this.#gapCuts },
    };
  }

  #step(line: Line): void {
    const held = this.#held;
    const isOfHeld = held?.tasks.length === 0 && !this.#current.hasFrames && this.#gapLines <= MOST_OF_PROGRAM;
    if (line.kind === 'behind' && isOfHeld) {
      this.#held = { ...held, tasks: [line.header] };
      return;
    }
    const isOfFrames = line.kind === 'frame' || line.kind === 'guess' || line.kind === 'lines' || line.kind === 'call';
    if (isOfFrames) this.#lone = undefined;
    else this.#releaseLone();
    this.#current.step(line, this.#stamps.now, this.#place);
    if (isOfFrames) {
      this.#gapLines = 0;
      this.#gapWords = 0;
      this.#gapQuotes = 0;
      this.#gapCuts = 0;
    } else this.#gapLines++;
  }

  #stranger(logged: boolean, isIndented: boolean, isCut: boolean): void {
    this.#gapLines++;
    this.#releaseLone();
    if (!isCut) {
      this.#gapWords++;
      this.#gapQuotes = Math.max(this.#gapQuotes, this.#place.quotes);
    }
    this.#current.stranger(logged, isIndented);
  }

  #blank(): void {
    this.#isAfterEmpty = false;
    this.#endBareNames();
    this.#releaseLone();
    this.#table = undefined;
    this.#list = undefined;
    this.#recognizer.reset();
    const isDouble = this.#spacing >= DOUBLE_SPACED && !this.#isAfterBlank;
    this.#isAfterBlank = true;
    // journalctl -o export separates its records by blank lines.
    if (this.#isField) return;
    for (const assembly of this.#assemblies.values()) assembly.blank(isDouble);
  }

  /** Each caller has an assembly. Those whose lines are older than a moment end. */
  #turnTo(caller: string | undefined, isLogged: boolean): void {
    if (this.#assemblies.size > 1) this.#endOld();
    if (caller === undefined && !isLogged) return;
    const key = `${this.#otherHost()}${caller ?? ''}`;
    let assembly = this.#assemblies.get(key);
    if (assembly === undefined) {
      if (this.#assemblies.size >= MOST_CALLERS) this.#endAll();
      assembly = new Assembly(this.#stamps.now, (assembled) => this.#complete(assembled));
      this.#assemblies.set(key, assembly);
    }
    this.#current = assembly;
  }

  /** In a log of several hosts, each has its own callers: the host of this line, if it is another than the first. */
  #otherHost(): string {
    const { host } = this.#stamps.now.told;
    if (host === undefined || host === this.#mainHost) return '';
    if (this.#mainHost !== undefined && (this.#assemblies.size > 1 || !this.#current.isIdle)) return `${host} `;
    this.#mainHost = host;
    return '';
  }

  #mainHost: string | undefined;

  #endOld(): void {
    const { now } = this.#stamps;
    for (const [key, assembly] of this.#assemblies) {
      const { host } = assembly.stamp.told;
      const there = host === now.told.host || host === undefined ? now : { ...now, told: { ...now.told, host } };
      const isOld = !isSameMoment(assembly.stamp, there);
      if (isOld && assembly !== this.#current) assembly.end();
      if (key !== '' && assembly !== this.#current && assembly.isIdle) this.#drop(key, assembly);
    }
  }

  #drop(key: string, assembly: Assembly): void {
    this.#cut += assembly.leftOut.cut;
    this.#assemblies.delete(key);
  }

  #body(text: string, logged: boolean): void {
    const grepped = greppedTask(text);
    if (grepped !== undefined) {
      this.#grepped(grepped.task);
      this.#body(grepped.rest, logged);
      return;
    }
    const [, report, trace] = text.includes('race: ') ? (ONE_LINE.exec(text) ?? []) : [];
    if (report !== undefined && trace !== undefined) {
      if (report.trim() !== '') this.#body(report, logged);
      this.#body('Call Trace:', logged);
      this.#body(trace, logged);
      return;
    }
    const row = this.#table?.row(text);
    if (row?.kind === 'row') {
      this.#row(row.header, row.wchan);
      return;
    }
    const lone = logged ? undefined : this.#loneRow(text);
    if (lone !== undefined) {
      this.#releaseLone();
      this.#endBareNames();
      this.#step({ kind: 'label', header: lone.header, weak: true });
      this.#lone = lone;
      return;
    }
    this.#table = PsTable.from(text);
    if (this.#table !== undefined) {
      this.#endBareNames();
      if (this.#current.hasFrames) this.#current.end();
      return;
    }
    if (!this.#bare.isEmpty && this.#bare.takesTail(text)) {
      if (this.#bare.isCounted) this.#endBareNames();
      return;
    }
    const listed = logged ? undefined : this.#list?.row(text);
    if (listed === undefined) this.#list = logged ? undefined : PsList.from(text);
    const read = listed ?? this.#recognizer.take(text);
    // Among frames with offsets, it is a name that a terminal has cut off.
    const whole = this.#current.hasOffsets && isNameOnly(read) ? IGNORED : read;
    if (whole?.kind === 'label' && whole.isTitle) this.#learn(whole.header, whole.isList === true);
    if (whole?.kind === 'label' && whole.header.blockedMs !== undefined) this.#expect(whole.header);
    const known = this.#withName(inContext(whole, logged));
    const named = known === undefined && logged && this.#current.takesNames ? nameInTrace(text) : undefined;
    if (named !== undefined) {
      this.#step(named);
      return;
    }
    const cut = known === undefined && this.#current.hasFrames ? this.#truncated(text) : undefined;
    if (cut !== undefined) {
      this.#step(cut);
      return;
    }
    if (known === undefined && this.#bare.add(text)) return;
    this.#endBareNames();
    if (known === undefined) this.#stranger(logged, /^\s/.test(text), isCutMark(text));
    else if (known.kind === 'waits') this.#waits(known.waiter);
    else if (known.kind === 'hung') this.#hung(known);
    else this.#step(known);
  }

  /** A row of a table without titles, or what `cat /proc/PID/wchan` answers. */
  #loneRow(text: string): Row | undefined {
    const asked = this.#asked;
    this.#asked = wchanAsked(text);
    const answer = asked === undefined ? undefined : wchanAnswer(text, this.#known);
    if (asked !== undefined && answer !== undefined) return { kind: 'row', header: asked, wchan: answer };
    return wchanRow(text, this.#known);
  }

  #asked: Header | undefined;

  /** The latest such row: if its stack follows at once, that tells more. */
  #lone: Row | undefined;

  #releaseLone(): void {
    const lone = this.#lone;
    this.#lone = undefined;
    if (lone !== undefined) this.#row(lone.header, lone.wchan);
  }

  /** A frame whose name is cut off, if only one function that is known begins so. */
  #truncated(text: string): Line | undefined {
    if (!(text.includes('…') || text.includes('...'))) return undefined;
    const [, guess, beginning] = text.length > LONGEST_CUT * 3 ? [] : (TRUNCATED.exec(text) ?? []);
    if (beginning === undefined) return undefined;
    const names = [...this.#known].filter((name) => name.startsWith(beginning));
    const [name] = names;
    if (name === undefined || names.length > 1) return undefined;
    return { kind: guess === undefined ? 'frame' : 'guess', frame: frameOf(name, text.trim()) };
  }

  /** A line of ps(1), or a sentence, names a task whose stack stands further down. */
  #learn({ state, ...header }: Header, isList: boolean): void {
    if (header.tid === undefined || header.tid === 0 || header.name === undefined) return;
    if (this.#learned.size >= MOST_LEARNED) this.#learned.clear();
    const before = this.#learned.get(header.tid);
    const known = before?.name === header.name ? before : {};
    this.#learned.set(header.tid, { ...known, ...header, ...(isList && state !== undefined && { state }) });
  }

  #withName(line: Line | undefined): Line | undefined {
    if (line?.kind !== 'label' && line?.kind !== 'task') return line;
    if (line.kind === 'label' && line.host !== undefined) {
      if (this.#host !== undefined && line.host !== this.#host) this.#learned.clear();
      this.#host = line.host;
      this.#stamps.turnTo(line.host);
    }
    const { tid, name } = line.header;
    const learned = tid === undefined ? undefined : this.#learned.get(tid);
    if (learned === undefined || line.header.onCpu === true) return line;
    return name === undefined || name === learned.name ? { ...line, header: { ...learned, ...line.header } } : line;
  }

  /** Each line of grep(1) has the name of its file. */
  #grepped(task: Line): void {
    if (task.kind !== 'task') return;
    const { tid } = task.header;
    if (this.#greppedTid !== tid || !this.#current.hasFrames) this.#step(task);
    this.#greppedTid = tid;
  }

  #greppedTid: number | undefined;

  #row(header: Header, wchan: string | undefined): void {
    const symbol = wchan?.replace(/\+$/, '');
    const frames: Frame[] = symbol === undefined ? [] : [{ symbol, raw: symbol }];
    this.#release();
    this.found.push({
      tasks: [header],
      stack: this.#stacks.intern(frames),
      innermostOnly: true,
      stamp: this.#stamps.now,
      leftOut: { guesses: 0, cut: 0, mixed: 0 },
    });
  }

  /** The kernel names the holder of a lock behind the stack of the task that waits for it. */
  #waits(waiter: Header): void {
    if (this.#current.adds(waiter)) {
      this.#current.end();
      return;
    }
    this.#current.end();
    const held = this.#held;
    const last = held?.tasks[0];
    if (held !== undefined && last?.tid === waiter.tid) {
      this.#held = {
        ...held,
        tasks: [{ ...last, ...waiter, ...(last?.state !== undefined && { state: last.state }) }],
      };
      return;
    }
    this.#expect(waiter);
  }

  /** Kernels print the stacks of the first hung tasks only, and people paste this one line. */
  #hung(line: Line & { kind: 'hung' }): void {
    this.#step(line);
    this.#expect(line.header);
  }

  /** Its own stack may follow. */
  #expect(waiter: Header): void {
    const stamp = this.#stamps.now;
    const at = this.#waiterAt(waiter.tid, stamp);
    const said = this.#waiters[at];
    if (said !== undefined) this.#waiters[at] = { waiter: { ...said.waiter, ...waiter }, stamp };
    else {
      if (this.#waiters.length >= MOST_WAITERS) this.#releaseWaiters();
      this.#waiters.push({ waiter, stamp });
    }
  }

  #waiterAt(tid: number | undefined, now: Stamp): number {
    if (tid === undefined) return -1;
    return this.#waiters.findIndex(({ waiter, stamp }) => waiter.tid === tid && isSameMoment(stamp, now));
  }

  /** Whether the stack of this task has begun, or follows at once. */
  #isPending({ waiter, stamp }: Waiter): boolean {
    for (const assembly of this.#assemblies.values())
      if (assembly.isOf(waiter.tid) && isSameMoment(assembly.stamp, stamp)) return true;
    return false;
  }

  /** Those without a stack in the text, if any, are known by what the kernel said of them. */
  #releaseWaiters(isOver: (waiter: Waiter) => boolean = () => true): void {
    const over = this.#waiters.filter(isOver);
    if (over.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => !over.includes(waiter));
    this.#release();
    for (const { waiter, stamp } of over) this.#untold(waiter, stamp);
  }

  /** The tasks of a stack, with what was said of them before. */
  #withLocks(tasks: readonly Header[], stamp: Stamp): readonly Header[] {
    if (this.#waiters.length === 0) return tasks;
    const whole = tasks.map((task) => {
      const at = this.#waiterAt(task.tid, stamp);
      const said = this.#waiters[at];
      if (said === undefined) return task;
      this.#waiters.splice(at, 1);
      return { ...said.waiter, ...task };
    });
    this.#releaseWaiters((said) => !isSameMoment(said.stamp, stamp) && !this.#isPending(said));
    return whole;
  }

  #endBareNames(): void {
    if (this.#bare.isEmpty) return;
    const { comm, tid } = this.#bare;
    const frames = this.#bare.take();
    if (frames.length === 0) {
      this.#stranger(false, false, false);
      return;
    }
    for (const frame of frames) this.#step({ kind: 'frame', frame });
    if (comm !== undefined) this.#step({ kind: 'behind', header: headerOf({ name: comm, tid }) });
  }

  #complete({ tasks: named, frames, stamp, leftOut, isUnclaimed, isUntold, seam }: Assembled): void {
    const tasks = this.#withLocks(named, stamp);
    if (seam !== undefined && tasks.length === 0 && this.#isPart({ frames, stamp, seam }, leftOut)) return;
    const held = this.#held;
    // The kernel may say behind the stack of a task that it ran for long.
    const isToldBefore = isUntold === true && tasks[0]?.tid !== undefined && held?.tasks[0]?.tid === tasks[0].tid;
    if (isToldBefore && held.stack.frames.length > 0 && isSameMoment(held.stamp, stamp)) return;
    // Either header may be that of either trace.
    if (isUnclaimed && held !== undefined) this.#held = { ...held, tasks: [], leftOut: mixedOnce(held.leftOut) };
    const stack = this.#stacks.intern(frames);
    // SPARC prints a trace and, further down, the same again as `Caller[...]`.
    if (tasks.length === 0 && frames[0]?.raw.includes('Caller[') && stack === held?.stack) return;
    this.#release();
    const all = isUnclaimed ? mixedOnce(leftOut) : leftOut;
    const cut = all.cut + this.#cut;
    this.#cut = 0;
    // Of frames that may be those of another task, nothing is said about this one.
    const isMixed = all.mixed > 0 && frames.length > 0;
    if (isMixed) for (const task of tasks) this.#untold(task, stamp);
    this.#held = {
      tasks: isMixed ? [] : tasks,
      stack,
      ...(isUntold === true && { untold: true }),
      stamp,
      leftOut: { ...all, cut },
    };
    this.#heldSeam = seam;
    if (tasks.length > 0 && stack !== this.#named[0]) this.#named = [stack, ...this.#named.slice(0, MOST_NAMED - 1)];
  }

  /** Whether this is no stack of its own: the rest of the one before, a scrap, or one that is told again. */
  #isPart(part: Part, leftOut: LeftOut): boolean {
    const held = this.#held;
    const before =
      held === undefined || this.#heldSeam === undefined
        ? undefined
        : { frames: held.stack.frames, stamp: held.stamp, seam: this.#heldSeam };
    if (held !== undefined && before !== undefined && goesOn(before, part)) {
      const frames = [...before.frames, ...part.frames].slice(0, MOST_FRAMES);
      this.#held = { ...held, stack: this.#stacks.intern(frames), leftOut: sumOf(held.leftOut, leftOut) };
      const { ends, endStamp, lastNumber, closes } = part.seam;
      this.#heldSeam = { ...before.seam, ends, endStamp, lastNumber, isOpen: before.seam.isOpen && !closes };
      return true;
    }
    const isLost = isScrap(part, before) || this.#isTold(part);
    if (isLost) this.#cut += leftOut.cut;
    return isLost;
  }

  /** Whether a summary tells the stack of a task again, or a vendor's kernel has printed it twice. */
  #isTold({ frames, seam }: Part): boolean {
    if (frames.length < LEAST_TOLD) return false;
    const stack = this.#stacks.intern(frames);
    if (!seam.begins.isLogged) return this.#named.includes(stack);
    const { uptimeSeconds } = seam.endStamp.told;
    return stack === this.#held?.stack && uptimeSeconds === this.#heldSeam?.endStamp.told.uptimeSeconds;
  }

  /** A task of which the text tells no more than what its header says. */
  #untold(task: Header, stamp: Stamp): void {
    if (task.tid === undefined) return;
    const stack = this.#stacks.intern([]);
    this.found.push({ tasks: [task], stack, untold: true, stamp, leftOut: { guesses: 0, cut: 0, mixed: 0 } });
  }

  #release(): void {
    if (this.#held !== undefined) this.found.push(this.#held);
    this.#held = undefined;
  }

  /** Ends the current stacks: the text is at its end. */
  end(): void {
    for (const line of this.#wraps.end()) this.#take(line);
    const rest = this.#quoted.end();
    if (rest !== '') this.#read(rest);
    this.#endBareNames();
    this.#releaseLone();
    this.#endAll();
    this.#release();
    this.#releaseWaiters();
  }

  #endAll(): void {
    for (const [key, assembly] of this.#assemblies) {
      assembly.end();
      if (key !== '' && assembly !== this.#current) this.#drop(key, assembly);
    }
  }
}

/** In a log, a line that mentions a PID is no title. */
function inContext(line: Line | undefined, isLogged: boolean): Line | undefined {
  return isLogged && line?.kind === 'label' && line.isTitle ? undefined : line;
}

/** A frame of /proc/PID/stack without an offset. */
function isNameOnly(line: Line | undefined): boolean {
  return line?.kind === 'frame' && line.frame.offset === undefined && /^\[<\w+>\] [a-zA-Z_]/.test(line.frame.raw);
}

function isCutMark(text: string): boolean {
  return text.length < LONGEST_CUT && !text.includes('+') && CUT.test(text);
}

function sumOf(a: LeftOut, b: LeftOut): LeftOut {
  return { guesses: a.guesses + b.guesses, cut: a.cut + b.cut, mixed: a.mixed + b.mixed };
}

function mixedOnce(leftOut: LeftOut): LeftOut {
  return { ...leftOut, mixed: Math.max(leftOut.mixed, 1) };
}
