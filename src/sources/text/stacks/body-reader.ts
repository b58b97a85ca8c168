import { BareNames, isNameOnly, nameInTrace } from '../forms/bare-names.ts';
import { knownChain } from '../forms/chains.ts';
import { isCutMark, truncatedFrame } from '../forms/cut-marks.ts';
import { HardLockups } from '../forms/hard-lockups.ts';
import { inContext } from '../forms/labels.ts';
import { LoggedTitles } from '../forms/logged-titles.ts';
import { greppedTask } from '../forms/proc-stack.ts';
import { isRule, PsList, PsTable } from '../forms/ps.ts';
import { RcuStalls } from '../forms/rcu-stalls.ts';
import { Recognizer } from '../forms/recognizer.ts';
import { Remarks } from '../forms/remarks.ts';
import { LoneRows, type Row } from '../forms/wchan-rows.ts';
import { type Header, headerOf, IGNORED, type Line } from '../line.ts';
import type { Stamps } from '../stamps.ts';
import { TracedSums } from '../traced-sums.ts';
import type { Assembly } from './assembly.ts';
import type { Callers } from './callers.ts';
import type { FoundStacks } from './found-stacks.ts';
import { LearnedTasks } from './learned-tasks.ts';
import type { Position } from './position.ts';

/** Between the stack of the kernel and the task, tracers print that of the program: at most so many lines. */
const MOST_OF_PROGRAM = 127;
/** A whole report in one line, as some trackers show it. */
const ONE_LINE = /^(.{0,3000}?)\bCall [Tt]race: (\s{0,8}(?:\[<[0-9a-f]{1,16}>\]|[\w.]{1,128}\+0x).*)$/;

/** What the lines are read into, and by what. */
interface Surroundings {
  readonly callers: Callers;
  readonly found: FoundStacks;
  readonly position: Position;
  readonly stamps: Stamps;
  /** Names of functions that the kernel has. */
  readonly known: ReadonlySet<string>;
}

/** Recognizes what each line says of a stack, by the lines before it too, and hands it on. Prefixes are taken off. */
export class BodyReader {
  readonly #callers: Callers;
  readonly #found: FoundStacks;
  readonly #position: Position;
  readonly #stamps: Stamps;
  readonly #known: ReadonlySet<string>;
  readonly #bare: BareNames;
  readonly #learned: LearnedTasks;
  readonly #recognizer = new Recognizer();
  readonly #remarks = new Remarks();
  readonly #loneRows: LoneRows;
  readonly #stalls = new RcuStalls();
  readonly #lockups = new HardLockups();
  readonly #sums = new TracedSums();
  readonly #titles = new LoggedTitles();
  #table: PsTable | undefined;
  #list: PsList | undefined;
  /** The latest row of a single task: its stack, if it follows at once, tells more. */
  #lone: Row | undefined;
  #greppedTid: number | undefined;

  constructor({ callers, found, position, stamps, known }: Surroundings) {
    this.#callers = callers;
    this.#found = found;
    this.#position = position;
    this.#stamps = stamps;
    this.#known = known;
    this.#bare = new BareNames(known);
    this.#loneRows = new LoneRows(known);
    this.#learned = new LearnedTasks(stamps);
  }

  get #current(): Assembly {
    return this.#callers.current;
  }

  /** Whether the lines before have no effect on the next one. */
  get isIdle(): boolean {
    return (
      this.#current.isIdle &&
      this.#bare.isEmpty &&
      this.#table === undefined &&
      this.#list === undefined &&
      !this.#recognizer.isWaiting &&
      !this.#sums.isExpected
    );
  }

  /** Whether the next line may belong to a row of ps(1), where it may begin with a time. */
  get isInRow(): boolean {
    return this.#recognizer.isInRow;
  }

  take(text: string, logged: boolean): void {
    const grepped = greppedTask(text);
    if (grepped !== undefined) {
      this.#grepped(grepped.task);
      this.take(grepped.rest, logged);
      return;
    }
    this.#lockups.learn(text, this.#stamps.now);
    const [, report, trace] = text.includes('race: ') ? (ONE_LINE.exec(text) ?? []) : [];
    if (report !== undefined && trace !== undefined) {
      if (report.trim() !== '') this.take(report, logged);
      this.take('Call Trace:', logged);
      this.take(trace, logged);
      return;
    }
    const sum = this.#sums.behindTask(text);
    if (sum !== undefined) {
      this.#found.add(sum, (innermost) => this.#sums.unitOf(innermost, true));
      return;
    }
    if (this.#takeRow(text, logged)) return;
    if (!this.#bare.isEmpty && this.#bare.takesTail(text)) {
      if (this.#bare.count !== undefined) this.#endBareNames();
      return;
    }
    const listed = logged ? undefined : this.#list?.row(text);
    if (listed === undefined) this.#list = logged ? undefined : PsList.from(text);
    const read = listed ?? this.#recognizer.take(text);
    this.#takeKnown(read ?? (logged ? undefined : knownChain(text, this.#known)), text, logged);
  }

  /** Takes a line of a table of tasks; false if it is none. */
  #takeRow(text: string, logged: boolean): boolean {
    const row = this.#table?.row(text);
    if (row === 'bad') {
      this.#found.leaveOut(1);
      return true;
    }
    if (row?.kind === 'row') {
      this.#found.row(row.header, row.wchan, this.#stamps.now);
      return true;
    }
    if (this.#table !== undefined && isRule(text)) return true;
    const lone = logged ? undefined : this.#loneRows.from(text);
    if (lone !== undefined) {
      this.#releaseLone();
      this.#endBareNames();
      for (const { header, wchan } of this.#loneRows.earlier.splice(0))
        this.#found.row(header, wchan, this.#stamps.now);
      this.#step({ kind: 'label', header: lone.header, weak: true });
      this.#lone = lone;
      return true;
    }
    this.#table = PsTable.from(text);
    if (this.#table === undefined) return false;
    this.#endBareNames();
    if (this.#current.hasFrames) this.#current.end();
    return true;
  }

  #takeKnown(read: Line | undefined, text: string, logged: boolean): void {
    // Among frames with offsets, it is a name that a terminal has cut off.
    const whole = this.#current.hasOffsets && isNameOnly(read) ? IGNORED : read;
    if (!this.#current.hasFrames && (whole === undefined || whole.kind === 'label')) this.#remarks.above(text);
    else if (whole !== undefined && this.#current.hasFrames && this.#remarks.take(text, whole)) {
      this.#position.skip();
      return;
    }
    if (whole?.kind === 'label' && whole.isTitle) this.#learned.learn(whole.header, whole.isList === true);
    if (whole?.kind === 'label' && whole.header.blockedMs !== undefined)
      this.#found.waits(whole.header, this.#stamps.now);
    const timed = this.#stalls.withTime(this.#learned.withName(inContext(whole, logged)), this.#stamps.now);
    const known = this.#lockups.withLockup(timed, text, this.#stamps.now);
    const named = known === undefined && logged && this.#current.takesNames ? nameInTrace(text) : undefined;
    if (named !== undefined) {
      this.#step(named);
      return;
    }
    const cut = known === undefined && this.#current.hasFrames ? truncatedFrame(text, this.#known) : undefined;
    if (cut !== undefined) {
      this.#step(cut);
      return;
    }
    if (known === undefined && this.#bare.add(text)) return;
    this.#endBareNames();
    if (known === undefined) this.#unknown(text, logged);
    else if (known.kind === 'waits') this.#waits(known.waiter);
    else if (known.kind === 'hung') this.#hung(known);
    else {
      this.#step(known);
      // Whoever pastes it may cut off its stack.
      if (known.kind === 'task' && known.header.state === 'D') this.#expect(known.header);
    }
  }

  /** Takes a line of the classic text of kstack. */
  takeClassic(line: Line): void {
    if (!this.#recognizer.takePlace()) this.#step(line);
  }

  #step(line: Line): void {
    if (line.kind === 'behind' && line.header.sum === undefined) this.#sums.expect();
    if (line.kind === 'behind' && this.#isOfFound) {
      this.#found.name(line.header);
      return;
    }
    const isOfFrames = line.kind === 'frame' || line.kind === 'guess' || line.kind === 'lines' || line.kind === 'call';
    if (isOfFrames) this.#lone = undefined;
    else this.#releaseLone();
    for (const title of this.#titles.before(line, this.#current))
      this.#current.step(title, this.#stamps.now, this.#position.place);
    this.#current.step(line, this.#stamps.now, this.#position.place);
    if (isOfFrames) this.#position.frame();
    else this.#position.skip();
  }

  /** Whether a task that is named here is that of the latest complete stack. */
  get #isOfFound(): boolean {
    return this.#found.lacksTask && !this.#current.hasFrames && this.#position.gapLines <= MOST_OF_PROGRAM;
  }

  #unknown(text: string, logged: boolean): void {
    this.#sums.learn(text);
    this.#stalls.learn(text, this.#stamps.now);
    if (this.#current.hasFrames && this.#remarks.take(text, undefined)) this.#position.skip();
    else {
      this.#stranger(logged, /^\s/.test(text), isCutMark(text));
      if (logged) this.#titles.note(text, this.#current);
    }
  }

  #stranger(logged: boolean, isIndented: boolean, isCut: boolean): void {
    this.#position.skip();
    this.#releaseLone();
    if (!isCut) this.#position.words();
    this.#current.stranger(logged, isIndented);
  }

  #releaseLone(): void {
    const lone = this.#lone;
    this.#lone = undefined;
    if (lone !== undefined) this.#found.row(lone.header, lone.wchan, this.#stamps.now);
  }

  /** Each line of grep(1) has the name of its file. */
  #grepped(task: Line): void {
    if (task.kind !== 'task') return;
    const { tid } = task.header;
    if (this.#greppedTid !== tid || !this.#current.hasFrames) this.#step(task);
    this.#greppedTid = tid;
  }

  /** The kernel names the holder of a lock behind the stack of the task that waits for it. */
  #waits(waiter: Header): void {
    const isAdded = this.#current.adds(waiter);
    this.#current.end();
    if (!isAdded) this.#found.waits(waiter, this.#stamps.now);
  }

  /** Kernels print the stacks of the first hung tasks only, and people paste this one line. */
  #hung(line: Line & { kind: 'hung' }): void {
    this.#step(line);
    this.#expect(line.header);
  }

  #expect(waiter: Header): void {
    this.#found.expect(waiter, this.#stamps.now);
  }

  #endBareNames(): void {
    if (this.#bare.isEmpty) return;
    const { comm, tid, count } = this.#bare;
    const frames = this.#bare.take();
    if (frames.length === 0) {
      this.#stranger(false, false, false);
      return;
    }
    for (const frame of frames) this.#step({ kind: 'frame', frame });
    if (comm !== undefined) this.#step({ kind: 'behind', header: headerOf({ name: comm, tid }) });
    if (count === undefined) return;
    this.#current.end();
    // The number behind a process is that of stackcount(8).
    this.#found.add(count, (innermost) => this.#sums.unitOf(innermost, comm !== undefined && tid === undefined));
  }

  /** A blank line: what follows is another table, and another header. */
  blank(): void {
    this.end();
    this.#remarks.end();
    this.#table = undefined;
    this.#list = undefined;
    this.#loneRows.reset();
    this.#recognizer.reset();
  }

  /** A line that nothing shows to be of a stack. If one follows at once, `text` may be its title. */
  pass(text?: string): void {
    this.#titles.note(text, this.#current);
  }

  /** A line with which a list of names and a table end. */
  endTable(): void {
    this.#endBareNames();
    this.#table = undefined;
  }

  /** An empty line in a log or a quotation. */
  empty(): void {
    this.#endBareNames();
    if (this.#current.hasFrames) this.#current.blank(false);
  }

  /** No line follows that belongs to those before. */
  end(): void {
    this.#endBareNames();
    this.#releaseLone();
  }
}
