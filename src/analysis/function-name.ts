import type { Pattern } from './rules/rule.ts';

const COMPILER_SUFFIX = /\.(?:isra|constprop|part|cold|llvm|lto_priv)(?:\.\d+)*/g;
const SYSTEM_CALL =
  /^(?:__(?:x64|arm64|ia32|x32|riscv|s390x?|powerpc|se|do)_(?:compat_)?sys_|__se_compat_sys_|compat_sys_|[Ss]y[Ss]_)/;

/**
 * The name of a symbol's function in the kernel's sources: without compiler suffixes (`.isra.0`, `.cold`) and the
 * padding prefix (`__pfx_`). System call wrappers become `sys_NAME` on every architecture.
 */
export function functionName(symbol: string): string {
  const name = symbol.includes('.') ? symbol.replace(COMPILER_SUFFIX, '') : symbol;
  return name.replace(/^__pfx_/, '').replace(SYSTEM_CALL, 'sys_');
}

/** An expression that matches a whole name by any of these patterns. */
export function wholeName(patterns: readonly Pattern[]): RegExp {
  return new RegExp(`^${anyOf(patterns)}$`);
}

function anyOf(patterns: readonly Pattern[]): string {
  return `(?:${patterns.map((pattern) => (typeof pattern === 'string' ? pattern : pattern.source)).join('|')})`;
}

const SCHEDULE = wholeName([
  /_?_?schedule(?:_\w+)?/,
  /io_schedule\w*/,
  'blk_io_schedule',
  /preempt_schedule\w*/,
  '__cond_resched',
  '_cond_resched',
  /_?__schedule_loop/,
  /__switch_to(?:_asm)?/,
  'context_switch',
  'rt_mutex_schedule',
  /yield(?:_to)?/,
]);
const WAIT = wholeName([
  /wait_for_completion\w*/,
  /(?:__|do_)?wait_for_common\w*/,
  /(?:__|out_of_line_)?wait_on_bit\w*/,
  /bit_wait\w*/,
  /folio_wait_bit\w*/,
  /wait_on_page_bit\w*/,
  /__wait_event\w*/,
  'wait_woken',
  '__wait_on_buffer',
  'wait_on_buffer',
  '__bread_gfp',
  /(?:__)?bh_read/,
  'sync_buffer',
  /sync_page(?:_killable)?/,
  /sleep_on_(?:buffer|page\w*)/,
  /(?:__bch2_|__)?closure_sync\w*/,
  'nfs_wait_bit_killable',
  /do_wait_intr\w*/,
  /(?:__)?flush_work(?:queue)?/,
  'start_flush_work',
  'flush_delayed_work',
  /cancel_(?:delayed_)?work_sync/,
  /__cancel_work\w*/,
  /mempool_alloc\w*/,
  'submit_bio_wait',
  'bio_await',
  'blk_execute_rq',
  /(?:__)?cv_(?:timed)?wait(?:_\w+)?/,
  /usleep_range\w*/,
  /msleep\w*/,
]);
const LOCK_PREFIXES: readonly Pattern[] = [
  /(?:__)?(?:ww_)?mutex_lock/,
  '__mutex_',
  'rwsem_',
  'call_rwsem_',
  /__?rt_mutex_/,
  'rt_mutex_',
  'rtlock_',
  'rt_spin_lock',
  'percpu_rwsem_',
  'percpu_down_',
  /(?:__)?ldsem_down_/,
  '__percpu_down_',
  '__percpu_rwsem',
];
const LOCK = new RegExp(`^${anyOf(LOCK_PREFIXES)}`);
const SEMAPHORE = /^(?:__)?down(?:_(?:read|write|interruptible|killable|timeout|common)\w*)?$/;
const SPIN = wholeName([
  /(?:native_|pv_|__pv_)?queued_(?:spin|read|write)_lock\w*/,
  /_raw_(?:spin|read|write)_lock\w*/,
  'osq_lock',
  'mutex_spin_on_owner',
]);

/** True for functions that sleep or spin on behalf of any caller, and so do not tell what is waited for. */
export function isSleepingPrimitive(name: string): boolean {
  return SCHEDULE.test(name) || WAIT.test(name) || LOCK.test(name) || SEMAPHORE.test(name) || SPIN.test(name);
}
