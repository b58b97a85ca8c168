import { countForks, countThreads, listPids, listTids, readLastTid, readMostTids } from './files.ts';
import type { Processes } from './prefetch.ts';

/** Reads {@link Processes} from the procfs at `root`. `forksBefore` was read at the start of the sample. */
export function processesOf(root: string, forksBefore: number): Processes {
  return {
    forksBefore,
    lastTid: () => readLastTid(root),
    mostTids: () => readMostTids(root),
    list: () => listPids(root),
    threads: () => countThreads(root),
    forks: () => countForks(root),
    threadsOf: (pid) => countTids(root, pid),
  };
}

function countTids(root: string, pid: number): number {
  const tids = listTids(root, pid);
  return 'value' in tids ? tids.value.length : 0;
}
