import type { Finding } from '../../model/finding.ts';
import type { Frame } from '../../model/stack.ts';
import type { State } from '../../model/task.ts';
import { RUNS_IN_PROGRAM, WAITS_FOR_UNKNOWN } from '../rules/general.ts';

/** What a finding has that no rule made. */
export const NOTHING_KNOWN = {
  rule: undefined,
  within: undefined,
  causes: '',
  next: [],
  undo: [],
  source: undefined,
  kernels: undefined,
  others: [],
};

/** What a task without a frame does, by its state alone. */
export function explainEmpty(state: State | undefined): Finding {
  const base = { ...NOTHING_KNOWN, frame: undefined, innermost: undefined };
  if (state === 'R')
    return {
      ...base,
      kind: 'running',
      waitsFor: 'nothing: it runs in user space, or is ready to',
      next: RUNS_IN_PROGRAM,
    };
  if (state === 'Z' || state === 'X') return ended(state, undefined);
  return { ...base, kind: 'unexplained', waitsFor: 'unknown: the stack is empty', next: WAITS_FOR_UNKNOWN };
}

/** A task that has ended. @param state undefined if only its stack tells it */
export function ended(state: 'Z' | 'X' | undefined, frame: Frame | undefined): Finding {
  const base = { ...NOTHING_KNOWN, kind: 'idle', frame, innermost: frame } as const;
  if (state === 'X') return { ...base, waitsFor: 'nothing: it has ended, and is being removed' };
  const whom = 'its parent to collect its exit status';
  return {
    ...base,
    waitsFor: state === 'Z' ? `${whom}: it has ended` : `nothing, or ${whom}: it has ended`,
    causes: 'A parent that does not call wait(2), is stopped, or is itself stuck.',
    next: ['grep PPid /proc/PID/status', 'kstack -p PPID'],
  };
}
