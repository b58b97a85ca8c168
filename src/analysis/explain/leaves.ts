import type { Frame } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import { isTelling } from './inner-end.ts';
import { wholeName } from './pattern.ts';

/** Functions at the inner end of a running task's stack that tell nothing of what it does. */
const LEAF = wholeName([
  /(?:__)?lock_(?:acquire|release|acquired|contended|is_held\w*)|lock_(?:un)?pin_lock/,
  /_raw_(?:spin|read|write)_unlock\w*|(?:do_)?raw_spin_unlock|__raw_spin_unlock\w*/,
  /(?:trace_|lockdep_)hardirqs_\w+|mark_(?:held_locks|lock|usage)|check_(?:preemption|flags)\w*|debug_lockdep_\w+/,
  /rcu_(?:is_watching|read_(?:un)?lock\w*|lockdep_\w+)|preempt_count_(?:add|sub)|debug_smp_processor_id/,
  /__sanitizer_cov_\w+|write_comp_data|check_kcov_mode|__?asan_\w+|__asan_(?:load|store)\w*|kasan_check_\w+/,
  /(?:__)?(?:const_)?(?:u|n)delay|__delay|delay_(?:tsc|halt|loop|mwaitx?)\w*|cpu_relax|arch_local_\w+|native_read_tsc/,
  /__this_cpu_preempt_check|check_memory_region\w*|_{0,2}msan_\w+|rcu_dynticks_curr_cpu_in_eqs|__srcu_read_(?:un)?lock/,
  /prandom_\w+|get_random_\w+|mem(?:cpy|set|cmp|move)\w*|str(?:cpy|cmp|len|ncpy|lcpy)\w*|find_next_\w+/,
  /osDevReadReg\d+|osGpuRead\w*|_regRead|_kbusRead\w*|arch_(?:static_)?counter_\w+|arch_timer_\w*get\w*/,
]);

/** The frames of a running task from the function on that tells what it does; all if none does. */
export function withoutLeaves(frames: readonly Frame[]): readonly Frame[] {
  const at = frames.findIndex(({ symbol }) => !LEAF.test(functionName(symbol)));
  const left = frames.slice(Math.max(at, 0));
  return left.some(({ symbol }) => isTelling(functionName(symbol))) ? left : frames;
}
