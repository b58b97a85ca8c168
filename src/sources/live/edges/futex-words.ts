import type { SystemCall } from '../../../model/system-call.ts';
import { takingTurns } from '../taking-turns.ts';
import { mayNameSomebody } from './futex-owner.ts';
import type { FutexWait } from './futex-wait.ts';

/** How near to its stack pointer a waiter's own word stands: musl's condition variables wait for one on the stack. */
const OWN_STACK_BYTES = 1n << 16n;
/** How many of these are looked at in each process. */
const MOST_ON_STACKS = 64;

export interface FutexWaiter {
  readonly tid: number;
  readonly pid: number;
  readonly call: SystemCall;
}

/** A futex that tasks of one process wait for. */
export interface FutexWord {
  readonly pid: number;
  readonly wait: FutexWait;
  readonly waiters: FutexWaiter[];
}

/** The futexes that tasks wait for, each once. Only those that may name somebody. */
export function wordsOf(waits: Iterable<readonly [FutexWaiter, FutexWait]>): FutexWord[] {
  const words = new Map<string, FutexWord>();
  for (const [waiter, wait] of waits) {
    if (!mayNameSomebody(wait)) continue;
    const key = `${waiter.pid} ${wait.address} ${wait.value} ${wait.shared}`;
    const word = words.get(key);
    if (word === undefined) words.set(key, { pid: waiter.pid, wait, waiters: [waiter] });
    else word.waiters.push(waiter);
  }
  return [...words.values()];
}

/**
 * At most so many, those first that are most likely locks: with many waiters, and not on the stack of the only one.
 * Processes take turns, so that none with thousands of idle threads hides another.
 */
export function inTurns(words: readonly FutexWord[], most: number): FutexWord[] {
  const perProcess = new Map<number, FutexWord[]>();
  for (const word of words) {
    const list = perProcess.get(word.pid);
    if (list === undefined) perProcess.set(word.pid, [word]);
    else list.push(word);
  }
  const lists = Array.from(perProcess.values(), (list) => {
    const onStacks = list.filter(isOnOwnStack);
    const isOn = new Set(onStacks);
    const others = list.filter((word) => !isOn.has(word)).sort((a, b) => b.waiters.length - a.waiters.length);
    return [...others, ...onStacks.slice(0, MOST_ON_STACKS)];
  });
  return takingTurns(lists, most);
}

function isOnOwnStack({ wait: { address }, waiters }: FutexWord): boolean {
  const [{ call } = {}] = waiters;
  if (call?.stackPointer === undefined || waiters.length > 1) return false;
  const distance = address - BigInt(call.stackPointer);
  return distance >= 0n && distance < OWN_STACK_BYTES;
}
