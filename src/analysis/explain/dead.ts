import type { Frame } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import type { InnerEnd } from './inner-end.ts';
import { wholeName } from './pattern.ts';

/** Where tasks sleep in do_exit, other than for good. */
const OOPS = wholeName(['oops_end', 'make_task_dead', 'rewind_stack_do_exit', 'rewind_stack_and_make_dead', 'die']);
/** A call so near to the end of a function, as a part of its size, is its last. */
const END = 0.9;

/**
 * Whether a task has given up its CPU for good, at the end of do_exit. Old kernels wait in that function for a core
 * dump as well, which other threads of the process write, but earlier in it and in state D.
 */
export function isDead(
  frames: readonly Frame[],
  { depth, primitive }: InnerEnd,
  state: 'S' | 'D' | undefined,
): boolean {
  const frame = frames[depth];
  if (frame === undefined || (primitive !== undefined && primitive.sleep !== 'schedule')) return false;
  if (frames.some(({ symbol }) => OOPS.test(functionName(symbol)))) return false;
  const name = functionName(frame.symbol);
  if (name === 'do_task_dead') return true;
  if (name !== 'do_exit') return false;
  const { offset, size = 0 } = frame;
  return offset === undefined || size < 0x100 ? state !== 'D' : offset > size * END;
}
