import { parseFrame, type Stack } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import { inInterrupt } from './interrupt.ts';
import { wholeName } from './pattern.ts';

/** What runs the function of any work, which is left out of the stack if it ends with a call. */
export const RUNS_ANY = wholeName([
  /process_(?:one_work|scheduled_works)|run_workqueue|async_run_entry_fn|work_for_cpu_fn/,
]);
const OF_THREAD = wholeName([/worker_thread|rescuer_thread|kthread|ret_from_\w+/]);
const RUNS_WORK = 'process_one_work';

const known = new WeakMap<Stack, Map<string, Stack>>();

/**
 * The stack with the function of the work that the task runs, by the log, if the stack lacks it: it was left out, or the
 * outer end of the stack was cut off. The same object for the same stack and work.
 */
export function withWork(stack: Stack, work: string | undefined): Stack {
  if (work === undefined) return stack;
  const ofStack = known.get(stack) ?? new Map<string, Stack>();
  known.set(stack, ofStack);
  const whole = ofStack.get(work) ?? added(stack, work);
  ofStack.set(work, whole);
  return whole;
}

function added(stack: Stack, work: string): Stack {
  const names = stack.frames.map(({ symbol }) => functionName(symbol));
  if (names.length === 0 || names.includes(functionName(work))) return stack;
  const frame = parseFrame(work);
  const at = names.findIndex((name) => RUNS_ANY.test(name));
  if (at >= 0) return { ...stack, frames: stack.frames.toSpliced(at, 0, frame) };
  // What an interrupt has interrupted need not be the work's own function.
  if (names.some((name) => OF_THREAD.test(name)) || inInterrupt(stack.frames) !== undefined) return stack;
  return { ...stack, frames: [...stack.frames, frame, parseFrame(RUNS_WORK)] };
}
