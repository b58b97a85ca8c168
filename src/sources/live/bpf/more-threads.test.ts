import { describe, expect, it } from 'vitest';
import type { CompiledSelection } from '../../../model/compiled-selection.ts';
import type { State } from '../../../model/task.ts';
import { countMoreThreads, selectionOfThreads } from './more-threads.ts';
import type { TaskRecord } from './records.ts';

function record(pid: number, tid: number, state: State, comm: string, uid: number): TaskRecord {
  const stat = { comm, state, ppid: 1, kernelThread: false, threads: 1, startTicks: 0, cpu: 0 };
  const rest = {
    startNs: 0,
    arrivalNs: 0,
    switches: 0,
    onCpu: false,
    lock: undefined,
    mmapOwner: undefined,
    vforkParent: 0,
    tracer: 0,
  };
  return { pid, tid, uid, namespacePid: pid, stat, ...rest, addresses: '' };
}

const RECORDS = [
  record(1, 1, 'D', 'main', 0),
  record(1, 2, 'D', 'io', 0),
  record(1, 3, 'D', 'net', 7),
  record(4, 5, 'R', 'io', 0),
];

describe('countMoreThreads', () => {
  const count = (selection: CompiledSelection) => {
    const asked = selectionOfThreads(selection);
    return asked && countMoreThreads(asked, { read: () => ({ records: RECORDS, nowNs: 0 }) });
  };

  it('counts threads in the selected states that are not main threads and pass the filters', () => {
    expect(count({ states: ['D'] })).toBe(2);
    expect(count({ states: ['D', 'R'], pids: [4] })).toBe(3);
    expect(count({ states: ['D'], command: /^io$/ })).toBe(1);
    expect(count({ states: ['D'], users: [7] })).toBe(1);
  });

  it('returns undefined if threads are selected, or if a filter needs more than the records', () => {
    const others: CompiledSelection[] = [
      { threads: true },
      { all: true },
      { module: 'xfs' },
      { function: /x/ },
      { cgroup: () => true },
      { blocked: true },
    ];
    for (const other of others) expect(count({ states: ['D'], ...other })).toBeUndefined();
    expect(count({ pids: [1] })).toBeUndefined();
  });

  it('returns undefined if the pass fails', () => {
    expect(countMoreThreads({ states: ['D'] }, { read: () => undefined })).toBeUndefined();
  });
});
