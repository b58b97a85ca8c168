import type { Header } from '../line.ts';

const MOST_TASKS = 100_000;
/** A header is forgotten if its stack does not follow within this many lines. */
const LONGEST_REPORT = 200;
/** The same for a title. */
const LONGEST_TITLE = 25;

/** The tasks that the lines before a stack name: it is theirs. */
export class StackTasks {
  #tasks: Header[] = [];
  #isWeak = false;
  /** A blank line followed on a weak title. */
  #isFaded = false;
  #isTitle = false;
  #age = 0;

  get all(): readonly Header[] {
    return this.#tasks;
  }

  set all(tasks: readonly Header[]) {
    this.#tasks = [...tasks];
  }

  get isEmpty(): boolean {
    return this.#tasks.length === 0;
  }

  get first(): Header | undefined {
    return this.#tasks[0];
  }

  get last(): Header | undefined {
    return this.#tasks.at(-1);
  }

  /** Whether a title named them that is one only if the stack follows at once. */
  get isWeak(): boolean {
    return this.#isWeak;
  }

  get isFaded(): boolean {
    return this.#isFaded;
  }

  /** Whether the stack that has begun, or that follows, is of this task. */
  has(tid: number | undefined): boolean {
    return this.#tasks.some((task) => task.tid === tid);
  }

  /** Adds one of several tasks that share the stack; false if there is no room. */
  share(header: Header): boolean {
    if (this.#tasks.length >= MOST_TASKS) return false;
    this.#tasks.push(header);
    return true;
  }

  /** Takes the header of a task. Returns whether another task stood before it, and has no stack. */
  head(header: Header): boolean {
    const { last } = this;
    const isSame = last !== undefined && (last.tid === header.tid || header.tid === undefined);
    const isUnclaimed = !isSame && last?.tid !== undefined && !this.#isWeak;
    // A hung task is named twice: in the report and by the scheduler. A task followed by another one has no stack.
    const runs = last?.onCpu === true && last.tid === undefined;
    this.#tasks = [isSame ? sameTask(last, header) : { ...header, ...(runs && { onCpu: true }) }];
    this.#isWeak = false;
    this.#isTitle = false;
    this.#age = 0;
    return isUnclaimed;
  }

  title(header: Header, isWeak: boolean): void {
    this.#tasks = isNothing(header) ? [] : [header];
    this.#isWeak = isWeak;
    this.#isTitle = true;
  }

  /** More about the task named before. */
  about(header: Header): void {
    if (header.work !== undefined && this.#tasks.length === 0) return;
    this.#tasks = [...this.#tasks.slice(0, -1), { ...this.last, ...header }];
  }

  /** The task whose stack this ends. */
  behind(header: Header): void {
    if (!isNothing(header)) this.#tasks = [{ ...this.last, ...header }];
  }

  /** Adds what the kernel says about a task that is one of these; false if it is another. */
  adds(header: Header): boolean {
    if (this.#tasks.length === 0) {
      this.#tasks = [header];
      return true;
    }
    const at = this.#tasks.findIndex(({ tid }) => tid === header.tid);
    const known = this.#tasks[at];
    if (known === undefined) return false;
    this.#tasks[at] = { ...known, ...header, ...(known.state !== undefined && { state: known.state }) };
    return true;
  }

  /** Whether the task ran in a program, or the kernel only says that it ran. */
  ran(isInProgram: boolean): boolean {
    const { first } = this;
    return first?.ranLong === true || (isInProgram && first?.onCpu === true);
  }

  /** The stack is of a task that ran, if none is named. */
  runs(): void {
    if (this.#tasks.length === 0) this.#tasks = [{ onCpu: true }];
  }

  /** The tasks, or the unknown one, were preempted. */
  areReady(): void {
    const tasks: readonly Header[] = this.#tasks.length === 0 ? [{}] : this.#tasks;
    this.#tasks = tasks.map((header) => ({ state: 'R', ...header }));
  }

  /** A line that tells nothing stands between them and the stack. Returns whether it cannot follow any more. */
  ages(): boolean {
    this.#age++;
    return this.#isWeak || this.#age > (this.#isTitle ? LONGEST_TITLE : LONGEST_REPORT);
  }

  /** A blank line. Returns whether it is the second one behind a weak title, which is none then. */
  fades(): boolean {
    const isOver = this.#isWeak && this.#isFaded;
    this.#isFaded = this.#isWeak;
    return isOver;
  }

  unfade(): void {
    this.#isFaded = false;
  }

  drop(): void {
    this.#tasks = [];
  }

  forget(): void {
    this.#tasks = [];
    this.#isWeak = false;
    this.#isFaded = false;
    this.#age = 0;
  }
}

function isNothing(header: Header): boolean {
  return Object.keys(header).length === 0;
}

/** A task that is named twice: of `map/0:26`, what stands before the colon may have been taken for the prefix of a log. */
function sameTask(before: Header, header: Header): Header {
  const isCut = header.name !== undefined && before.name?.endsWith(`:${header.name}`) === true;
  return { ...before, ...header, ...(isCut && before.name !== undefined && { name: before.name }) };
}
