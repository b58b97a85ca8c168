import type { Observation, Sample } from '../../../model/sample.ts';
import type { State, Task } from '../../../model/task.ts';
import type { InternedStacks } from '../interned.ts';
import { isUnreadable } from './fields.ts';
import { frameOf } from './frames.ts';
import { MOST_TASKS } from './recorded-sample.ts';
import { nameShownAs } from './shown-name.ts';
import type { UnnamedTasks } from './unnamed.ts';

/** `NAME;OUTERMOST;...;INNERMOST COUNT` */
const LINE = /^([^;]{1,600}(?:;[^;]{1,4096}){1,1024}) ([1-9]\d{0,8})$/s;
const FUNCTION = /^(?:[\w.$]+(?:_\[k\])?|\[[^\]]{1,80}\])$/;
/** How --annotate, and FlameGraph's stackcollapse-*.pl, mark the functions of the kernel. */
const KERNEL_MARK = '_[k]';
/** Of a path, of C++ or of Java. */
const USER_FUNCTION = /[/(]|::/;
const OFF_CPU = /^(?:__schedule|schedule|finish_task_switch(?:\.[\w.]+)?)(?:_\[k\])?$/;
/** bcc's tools put it between the functions of the program and those of the kernel. */
const DELIMITER = '-';
/** offwaketime(8) puts it before the stack of the task that woke the first one. */
const WAKER = '--';
/**
 * The functions by which tasks enter the kernel, and those that kernel threads begin with. They tell the name of a
 * thread from a function.
 */
const OUTERMOST =
  /^(?:ret_from_\w+|entry_\w+|(?:x64_sys_call|do_syscall_64|do_(?:fast|int80)_syscall_32\w*|do_int80_\w+)|asm_\w+|el[01]\w*|system_call\w*|ret_fast_syscall|ret_to_user|handle_(?:sys|exception)\w*|do_trap_\w+|__(?:x64|arm64|ia32|s390x|riscv|se)_\w*sys_\w+|kthread|kernel_thread_starter|page_fault|\[[^\]]{1,80}\])$/;

const NOT_TOLD = { unread: 'notTold' } as const;

/**
 * Folded stacks, of `kstack -f folded` and of others: all that looks so, if the text begins with one, or else what
 * cannot be anything else.
 */
export class FoldedStacks {
  readonly #stacks: InternedStacks;
  readonly #unnamed: UnnamedTasks;
  #isFolded: boolean | undefined;
  /** Whether the functions of the kernel are marked. */
  #isMarked = false;
  #observations: Observation[] = [];
  #leftOut = 0;
  /** The samples that are complete. The caller empties the list. */
  found: Sample[] = [];

  constructor(stacks: InternedStacks, unnamed: UnnamedTasks) {
    this.#stacks = stacks;
    this.#unnamed = unnamed;
  }

  /** Takes the next line. Returns whether it is a folded stack. */
  take(line: string): boolean {
    if (this.#isFolded === false && !line.includes(';')) return false;
    const text = line.trim();
    if (text === '') return this.#isFolded === true;
    const [, path, count] = LINE.exec(text) ?? [];
    if (path === undefined) {
      // A prompt, or the line of a script, may stand before them.
      if (this.#isFolded === undefined && !/^\S{0,80}[$#%>] /.test(text)) this.#isFolded = false;
      return false;
    }
    const [name = '', ...all] = path.split(';');
    const waker = all.indexOf(WAKER);
    const functions = waker === -1 ? all : all.slice(0, waker);
    this.#isFolded ??= isLikely(functions);
    if (!this.#isFolded && !isCertain(functions)) return false;
    this.#add(name, functions, Number(count));
    return true;
  }

  /** Ends the sample that is being read. */
  end(): void {
    if (this.#observations.length === 0) return;
    this.found.push({
      source: { name: 'text' },
      threads: true,
      fields: [],
      observations: this.#observations,
      holders: [],
      leftOut: this.#leftOut === 0 ? {} : { lines: this.#leftOut },
      unread: [],
    });
    this.#observations = [];
    this.#leftOut = 0;
  }

  #add(name: string, path: readonly string[], count: number): void {
    const { thread, functions } = kernelPart(path, name !== NO_NAME);
    this.#isMarked ||= path.some((part) => part.endsWith(KERNEL_MARK));
    // A program was in none of the kernel's functions.
    if (this.#isMarked ? !path.some(isOfKernel) : functions.some((each) => USER_FUNCTION.test(each))) return;
    const task: Task = { id: {}, ...namesOf(name, thread), commandLine: NOT_TOLD };
    // Where it got off its CPU is not on the stack of a task that sleeps: then the number is no count of tasks.
    const isTraced = OFF_CPU.test(functions.at(-1) ?? '');
    // perf(1) counts how often that was.
    const facts =
      isTraced && !functions.at(-1)?.startsWith('__') ? { facts: { traced: { offCpuMs: count / 1000 } } } : {};
    const observation = { task, ...this.#stackOf(functions), ...facts };
    this.#leftOut += this.#unnamed.add(this.#observations, observation, isTraced ? 1 : count);
    if (this.#observations.length >= MOST_TASKS) this.end();
  }

  #stackOf(functions: readonly string[]): Pick<Observation, 'stack' | 'state'> {
    const [only = '', ...others] = functions;
    const [, why] = /^\[stack not read: (\w+)\]$/.exec(only) ?? [];
    if (isUnreadable(why)) return { stack: { unread: why } };
    if (others.length > 0 || !NO_FRAMES.has(only))
      return { stack: { value: this.#stacks.intern(functions.map((symbol) => frameOf({ symbol })).toReversed()) } };
    const state = NO_FRAMES.get(only);
    return { stack: { value: this.#stacks.intern([]) }, ...(state !== undefined && { state }) };
  }
}

/** What stands for the functions of a task without any, and its state. */
const NO_FRAMES: ReadonlyMap<string, State | undefined> = new Map([
  ['[user space]', 'R'],
  ['[zombie]', 'Z'],
  ['[no stack]', undefined],
]);

/** A table may also have semicolons and end in a number, but it has no functions of the kernel. */
function isLikely(functions: readonly string[]): boolean {
  return (
    functions.every((each) => FUNCTION.test(each) || each === DELIMITER) &&
    functions.some((each) => each.includes('_') || OUTERMOST.test(each))
  );
}

function isOfKernel(part: string): boolean {
  return part.endsWith(KERNEL_MARK) || NO_FRAMES.has(part) || part.startsWith('[stack not read: ');
}

/** In any text. */
function isCertain(functions: readonly string[]): boolean {
  return functions.length > 2 && isLikely(functions) && functions.slice(0, 3).some((each) => OUTERMOST.test(each));
}

/** What stands before the first semicolon of a folded stack, if a line may be one. */
export function foldedName(line: string): string | undefined {
  const [, path] = LINE.exec(line.trimEnd()) ?? [];
  if (path === undefined) return undefined;
  const [name = '', ...functions] = path.split(';');
  return isLikely(functions) || (functions.length > 1 && isLikely(functions.slice(1))) ? name : undefined;
}

const NO_NAME = '[no name]';

function namesOf(name: string, thread: string | undefined): Pick<Task, 'comm' | 'processName'> {
  if (thread === NO_NAME) return { processName: nameShownAs(name) };
  if (thread !== undefined) return { comm: nameShownAs(thread), processName: nameShownAs(name) };
  return name === NO_NAME ? {} : { comm: nameShownAs(name) };
}

/** The functions of the kernel, outermost first, and the name of the thread if it stands before them. */
function kernelPart(
  path: readonly string[],
  isNamed: boolean,
): { thread: string | undefined; functions: readonly string[] } {
  const delimiter = path.indexOf(DELIMITER);
  const parts = delimiter === -1 ? path : path.slice(delimiter + 1);
  const marked = parts.filter((part) => part.endsWith(KERNEL_MARK)).map((part) => part.slice(0, -KERNEL_MARK.length));
  const [first = '', second] = parts;
  if (marked.length > 0) {
    const isThread = marked.length === parts.length - 1 && !first.endsWith(KERNEL_MARK);
    return { thread: isThread ? first : undefined, functions: marked };
  }
  const isName =
    first === NO_NAME || (!OUTERMOST.test(first) && (!FUNCTION.test(first) || OUTERMOST.test(second ?? '')));
  // Kernel threads are processes of their own.
  const isThread = isNamed && second !== undefined && isName && !/^ret_from_/.test(second);
  return { thread: isThread ? first : undefined, functions: isThread ? parts.slice(1) : parts };
}
