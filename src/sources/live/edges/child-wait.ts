import type { SystemCall } from '../../../model/system-call.ts';

/** include/uapi/linux/wait.h: the kinds of ids of waitid(2), and only children of the thread itself. */
const P_ALL = 0;
const P_PID = 1;
const P_PGID = 2;
const P_PIDFD = 3;
const OF_THREAD_ONLY = 0x20000000n;

/** Which children a task waits for. Numbers are those of its own PID namespace. */
export interface ChildWait {
  readonly which:
    | { readonly all: true }
    | { readonly pid: number }
    /** 0 for its own. */
    | { readonly group: number }
    | { readonly pidfd: number };
  /** Not for those of other threads of its process (__WNOTHREAD). */
  readonly ofThread: boolean;
}

/** What a task in wait4(2), waitpid(2) or waitid(2) waits for; undefined for other calls. */
export function childWaitOf(name: string | undefined, { arguments: words }: SystemCall): ChildWait | undefined {
  const [first = 0, second = 0] = words.slice(0, 2).map((word) => Number(BigInt.asIntN(32, BigInt(word))));
  const hasOption = (at: number) => (BigInt(words[at] ?? 0) & OF_THREAD_ONLY) !== 0n;
  if (name === 'wait4' || name === 'waitpid') return { which: ofWait4(first), ofThread: hasOption(2) };
  if (name !== 'waitid') return undefined;
  const which = ofWaitid(first, second);
  return which && { which, ofThread: hasOption(3) };
}

function ofWait4(pid: number): ChildWait['which'] {
  if (pid > 0) return { pid };
  return pid === -1 ? { all: true } : { group: Math.abs(pid) };
}

function ofWaitid(type: number, id: number): ChildWait['which'] | undefined {
  switch (type) {
    case P_ALL:
      return { all: true };
    case P_PID:
      return { pid: id };
    case P_PGID:
      return { group: id };
    case P_PIDFD:
      return { pidfd: id };
    default:
      return undefined;
  }
}
