import { describe, expect, it } from 'vitest';
import type { TaskRecord } from './records.ts';
import { replacedTasks, reusable } from './replaced.ts';

function record(pid: number, tid: number, startNs: number): TaskRecord {
  const stat = { comm: 'x', state: 'S', ppid: 1, kernelThread: false, threads: 1, startTicks: 0, cpu: 0 } as const;
  const rest = {
    arrivalNs: 0,
    switches: 0,
    onCpu: false,
    lock: undefined,
    mmapOwner: undefined,
    vforkParent: 0,
    tracer: 0,
  };
  return { pid, tid, uid: 0, namespacePid: pid, stat, startNs, ...rest, addresses: '' };
}

/** Tasks 400 (with thread 1000) and 900. `later` is what has these numbers once everything has been read. */
function replaced(
  host: { last: number; now: number; forks?: number; most?: number },
  later: readonly TaskRecord[] | undefined,
) {
  const asked: (readonly number[])[] = [];
  const { last, now, forks = 10, most = 32768 } = host;
  const tids = replacedTasks(
    [record(400, 400, 1), record(400, 1000, 2), record(900, 900, 3)],
    {
      readTasks: (tids) => {
        asked.push(tids);
        return later?.filter(({ tid }) => tids.includes(tid));
      },
    },
    last,
    { lastTid: () => now, mostTids: () => most, threads: () => 300, forks: () => 5000 + forks, forksBefore: 5000 },
  );
  return { tids: [...tids], asked };
}

describe('a task whose number may have been reused', () => {
  const same = [record(400, 400, 1), record(400, 1000, 2), record(900, 900, 3)];

  it('is read again only if numbers were allocated', () => {
    expect(replaced({ last: 500, now: 500 }, [])).toEqual({ tids: [], asked: [] });
    expect(replaced({ last: 500, now: 890 }, [])).toEqual({ tids: [], asked: [] });
    expect(replaced({ last: 890, now: 900 }, same)).toEqual({ tids: [], asked: [[900]] });
  });

  it('is left out if it has ended, and kept if not', () => {
    expect(replaced({ last: 890, now: 1000 }, [record(400, 1000, 2)])).toEqual({ tids: [900], asked: [[1000, 900]] });
    expect(replaced({ last: 890, now: 900 }, [record(900, 900, 4)]).tids).toEqual([900]);
  });

  it('is read again with the other threads of a process whose PID may have been reused', () => {
    expect(replaced({ last: 350, now: 450 }, same).asked).toEqual([[400, 1000]]);
    expect(replaced({ last: 350, now: 450 }, [record(7, 1000, 9)]).tids).toEqual([400, 1000]);
  });

  it('may be any task if the numbers have wrapped around or are unknown', () => {
    const all = [[400, 1000, 900]];
    expect(replaced({ last: 500, now: 501, forks: 32768 - 600 }, same)).toEqual({ tids: [], asked: all });
    expect(replaced({ last: 500, now: 501, forks: 32768 - 601 }, same).asked).toEqual([]);
    expect(replaced({ last: 500, now: 501, most: Number.NaN }, same).asked).toEqual(all);
    expect(replaced({ last: Number.NaN, now: Number.NaN }, same).asked).toEqual(all);
  });

  it('is left out if reading it again fails', () => {
    expect(replaced({ last: 890, now: 900 }, undefined).tids).toEqual([900]);
  });
});

it('allocated numbers may wrap around from the highest to the lowest', () => {
  const isReusable = reusable(32700, 310, true);
  expect([300, 310, 311, 32700, 32701].filter(isReusable)).toEqual([300, 310, 32701]);
});
