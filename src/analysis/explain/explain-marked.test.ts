import { expect, it } from 'vitest';
import { EMPTY_SAMPLE, observationOf } from '../../../test/samples.ts';
import { parseFrame } from '../../model/stack.ts';
import { explainGroups, explainObservation } from './explain-sample.ts';

const stackOf = (id: number, ...symbols: readonly string[]) => ({ value: { id, frames: symbols.map(parseFrame) } });
const [NAP, POLL] = [stackOf(1, 'hrtimer_nanosleep', '__x64_sys_nanosleep'), stackOf(2, 'do_sys_poll')];

it('a task that is frozen where it sleeps waits for a thaw, whatever its stack says', () => {
  const task = observationOf(1, { state: 'D', stack: NAP });
  expect(explainObservation(task).rule).toBeUndefined();
  expect(explainObservation({ ...task, waitsBy: 'frozen' })).toMatchObject({ rule: 'stop-freezer', kind: 'blocked' });
});

it('frozen tasks with different stacks are different groups, and not those that sleep there by themselves', () => {
  const tasks = [NAP, NAP, POLL].map((stack, at) => observationOf(at + 1, { state: 'D', stack, waitsBy: 'frozen' }));
  const asleep = observationOf(4, { state: 'S', stack: NAP });
  const groups = explainGroups({ ...EMPTY_SAMPLE, observations: [...tasks, asleep] });
  expect(groups.map(({ stack, observations, finding }) => [stack?.id, observations.length, finding.kind])).toEqual([
    [1, 2, 'blocked'],
    [2, 1, 'blocked'],
    [1, 1, 'idle'],
  ]);
});

it('a task that waits for a user-space lock with a holder is blocked; one that nothing is known of idles', () => {
  const task = observationOf(1, { state: 'S', stack: stackOf(3, 'futex_do_wait', '__futex_wait') });
  expect(explainObservation(task)).toMatchObject({ rule: 'futex', kind: 'idle' });
  const held = explainObservation({ ...task, waitsBy: 'futex' });
  expect(held).toMatchObject({ rule: 'futex', kind: 'blocked', waitsFor: expect.stringMatching(/user-space lock/) });
  expect(explainObservation({ ...task, waitsBy: 'futex' })).toBe(held);
});

it('what the stack says of a wait for a lock with priority inheritance is said as before', () => {
  const task = observationOf(1, { state: 'S', stack: stackOf(4, 'futex_lock_pi') });
  expect(explainObservation({ ...task, waitsBy: 'futex' })).toBe(explainObservation(task));
});

it('a lock that the kernel says the task has itself is not called that of another task', () => {
  const toldOf = (...symbols: readonly string[]) => {
    const stack = symbols.length === 0 ? ({ unread: 'notTold' } as const) : stackOf(9, '__mutex_lock', ...symbols);
    const facts = { lock: { kind: 'mutex', owner: 7 } } as const;
    const of = (tid: number) => explainObservation(observationOf(tid, { state: 'D', stack, facts })).waitsFor;
    expect(of(8)).not.toContain('itself');
    return of(7);
  };
  expect(toldOf()).toBe('a mutex, which it likely holds itself (the text has no stack of it)');
  expect(toldOf('rtnl_lock', 'do_setlink')).toMatch(/\(rtnl\), which it likely holds itself/);
  expect(toldOf('nvme_remove')).toMatch(/^a mutex that it likely holds itself/);
  expect(toldOf('unheard_of', 'worker_thread')).toMatch(/^a mutex that unheard_of takes, which it likely holds itself/);
});

it('a task of the idle loop is not idle where the kernel says that it has kept its CPU', () => {
  const stack = stackOf(7, 'acpi_idle_enter', 'cpuidle_enter_state', 'do_idle', 'cpu_startup_entry');
  const kindOf = (facts: { onCpuMs?: number }) =>
    explainObservation(observationOf(1, { state: 'R', stack, facts })).kind;
  expect([kindOf({}), kindOf({ onCpuMs: 23_000 })]).toEqual(['idle', 'running']);
});

it('a task that a hard lockup was reported of runs with interrupts off, and not idles', () => {
  const told = (stack: ReturnType<typeof stackOf>) => {
    const { kind, waitsFor, next } = explainObservation(
      observationOf(0, { state: 'R', stack, facts: { hardLockup: true } }),
    );
    expect(next).toContain('cat /proc/interrupts');
    return `${kind}: ${waitsFor}`;
  };
  expect(told(stackOf(11, 'mwait_idle_with_hints', 'intel_idle', 'do_idle', 'cpu_startup_entry'))).toBe(
    'running: nothing: with interrupts off, it has kept its CPU, in mwait_idle_with_hints, though it idles there',
  );
  expect(told(stackOf(12, 'native_queued_spin_lock_slowpath', '_raw_spin_lock_irqsave', 'ep_poll_callback'))).toBe(
    'running: nothing: with interrupts off, it spins on a lock that ep_poll_callback takes',
  );
  expect(told(stackOf(13, 'unheard_of_loop', 'worker_thread'))).toBe(
    'running: nothing: with interrupts off, it has kept its CPU, in unheard_of_loop, in a kernel worker',
  );
});

it('what no rule explains has commands all the same', () => {
  const next = (state: 'R' | 'S', ...symbols: readonly string[]) =>
    explainObservation(observationOf(1, { state, stack: stackOf(20 + symbols.length, ...symbols) })).next;
  expect(next('R', 'unheard_of')).toContain('cat /proc/interrupts');
  expect(next('R')).toContain('cat /proc/TID/schedstat');
  expect(next('S', 'schedule', 'unheard_of')).toContain('cat /proc/TID/wchan');
  expect(next('S')).toContain('cat /proc/TID/status');
});

it('what a worker is about is told by the log where its stack does not show the function', () => {
  const told = (work: string | undefined, ...symbols: readonly string[]) => {
    const facts = work === undefined ? {} : { work };
    const stack = stackOf(30, ...symbols);
    const first = explainObservation(observationOf(1, { state: 'D', stack, facts }));
    expect(explainObservation(observationOf(2, { state: 'D', stack, facts }))).toBe(first);
    return first.waitsFor;
  };
  const loop = ['process_one_work', 'worker_thread', 'kthread'];
  expect(told('unheard_of_work', '__mutex_lock', ...loop)).toBe(
    'a mutex that unheard_of_work takes, in a kernel worker',
  );
  expect(told('unheard_of_work', '__mutex_lock', 'callee', ...loop)).toContain(
    'that callee takes, in a kernel worker (un',
  );
  expect(told('wb_workfn', '__mutex_lock', 'callee')).toContain('in order to write dirty pages');
  expect(told('wb_workfn', 'wb_workfn', ...loop)).toBe(told(undefined, 'wb_workfn', ...loop));
  expect(told('wb_workfn', 'worker_thread', 'kthread')).toBe(told(undefined, 'worker_thread', 'kthread'));
});
