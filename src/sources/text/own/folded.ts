import type { Observation, Sample } from '../../../model/sample.ts';
import type { State, Task } from '../../../model/task.ts';
import type { InternedStacks } from '../interned.ts';
import { isUnreadable } from './fields.ts';
import { frameOf } from './frames.ts';
import { MOST_TASKS } from './recorded-sample.ts';
import type { UnnamedTasks } from './unnamed.ts';

/** `NAME;OUTERMOST;...;INNERMOST COUNT` */
const LINE = /^([^;]{1,600}(?:;[^;]{1,4096}){1,1024}) ([1-9]\d{0,8})$/s;
const FUNCTION = /^(?:[\w.$]+(?:_\[k\])?|\[[^\]]{1,80}\])$/;
/** How --annotate, and FlameGraph's stackcollapse-*.pl, mark the functions of the kernel. */
const KERNEL_MARK = '_[k]';
/** bcc's tools put it between the functions of the program and those of the kernel. */
const DELIMITER = '-';
/**
 * The functions by which tasks enter the kernel, and those that kernel threads begin with. They tell the name of a thread
 * from a function.
 */
const OUTERMOST =
  /^(?:ret_from_\w+|entry_\w+|(?:x64_sys_call|do_syscall_64|do_(?:fast|int80)_syscall_32\w*|do_int80_\w+)|asm_\w+|el[01]\w*|system_call\w*|ret_fast_syscall|ret_to_user|handle_(?:sys|exception)\w*|do_trap_\w+|__(?:x64|arm64|ia32|s390x|riscv|se)_\w*sys_\w+|kthread|kernel_thread_starter|\[[^\]]{1,80}\])$/;

const NOT_TOLD = { unread: 'notTold' } as const;

/** Folded stacks, of `kstack -f folded` and of others, if they are what the text begins with. */
export class FoldedStacks {
  readonly #stacks: InternedStacks;
  readonly #unnamed: UnnamedTasks;
  #isFolded: boolean | undefined;
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
    if (this.#isFolded === false) return false;
    const text = line.trim();
    if (text === '') return this.#isFolded === true;
    const [, path, count] = LINE.exec(text) ?? [];
    if (path === undefined) {
      // A prompt, or the line of a script, may stand before them.
      if (this.#isFolded === undefined && !/^\S{0,80}[$#%>] /.test(text)) this.#isFolded = false;
      return false;
    }
    const [name = '', ...functions] = path.split(';');
    this.#isFolded ??= functions.every((each) => FUNCTION.test(each) || each === DELIMITER);
    if (this.#isFolded) this.#add(name, functions, Number(count));
    return this.#isFolded;
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
    const { thread, functions } = kernelPart(path);
    const task: Task = { id: {}, ...namesOf(name, thread), commandLine: NOT_TOLD };
    const observation = { task, ...this.#stackOf(functions) };
    this.#leftOut += this.#unnamed.add(this.#observations, observation, count);
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

function namesOf(name: string, thread: string | undefined): Pick<Task, 'comm' | 'processName'> {
  if (thread !== undefined) return { comm: thread, processName: name };
  return name === '[no name]' ? {} : { comm: name };
}

/** The functions of the kernel, outermost first, and the name of the thread if it stands before them. */
function kernelPart(path: readonly string[]): { thread: string | undefined; functions: readonly string[] } {
  const delimiter = path.indexOf(DELIMITER);
  const parts = delimiter === -1 ? path : path.slice(delimiter + 1);
  const marked = parts.filter((part) => part.endsWith(KERNEL_MARK)).map((part) => part.slice(0, -KERNEL_MARK.length));
  const [first = '', second] = parts;
  if (marked.length > 0) {
    const isThread = marked.length === parts.length - 1 && !first.endsWith(KERNEL_MARK);
    return { thread: isThread ? first : undefined, functions: marked };
  }
  const isThread = second !== undefined && !OUTERMOST.test(first) && (!FUNCTION.test(first) || OUTERMOST.test(second));
  return { thread: isThread ? first : undefined, functions: isThread ? parts.slice(1) : parts };
}
