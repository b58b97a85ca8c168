import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { KSTACK, temporaryFolder, testRequires, textOf, withinMs } from './harness.ts';
import { Tmux } from './tmux.ts';

/** Almost as long as an argument may be (MAX_ARG_STRLEN), so that a leak of few processes shows. */
const ARGUMENT_BYTES = 100_000;

function childrenOf(pid: number): number[] {
  return textOf(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

/** What a process has taken, in RAM or swapped out, in MB. */
function memoryOf(pid: number): number {
  const status = textOf(`/proc/${pid}/status`);
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
  return (kilobytes('RssAnon') + kilobytes('VmSwap')) / 1000;
}

it(
  'kstack top takes no more memory for processes that come and go',
  async () => {
    testRequires('root', 'tmux');
    const program = join(temporaryFolder(), `leak-${process.pid}`);
    copyFileSync('/bin/sleep', program);
    let shown: ChildProcess[] = [];
    const end = (processes: readonly ChildProcess[]) => {
      for (const each of processes) each.kill('SIGKILL');
    };
    onTestFinished(() => end(shown));
    const screen = new Tmux(`KSTACK_INTERVAL_MS=1 exec ${KSTACK} top -c '^leak-${process.pid}$'`);
    await screen.until(/every 0.001 s/);

    const top = screen.pid;
    const [sampler = 0] = childrenOf(top);
    let started = 0;
    /**
     * Puts other processes in the place of those that are there, and waits until top shows them, so many times: the
     * least memory that each of its processes had meanwhile, since how much garbage waits for its collector varies.
     */
    const replace = async (times: number): Promise<readonly number[]> => {
      let least = [Infinity, Infinity];
      for (let time = 0; time < times; time++) {
        const count = shown.length === 7 ? 8 : 7;
        const next = Array.from({ length: count }, () =>
          spawn(program, ['1000'], { argv0: `${started++} ${'x'.repeat(ARGUMENT_BYTES)}`, stdio: 'ignore' }),
        );
        end(shown);
        shown = next;
        await screen.until(new RegExp(`^${count} processes: `, 'm'));
        least = [top, sampler].map((pid, at) => Math.min(memoryOf(pid), least[at] ?? 0));
      }
      return least;
    };
    await replace(30);
    // A heap breathes, and may grow for a while; a leak takes more for each process that has ended.
    const seen: string[] = [];
    let isKept = true;
    for (let before = await replace(12); isKept && seen.length < 4; ) {
      const startedBefore = started;
      await replace(60);
      const after = await replace(12);
      const endedMb = ((started - startedBefore) * ARGUMENT_BYTES) / 1e6;
      isKept = after.some((each, at) => each - (before[at] ?? 0) > endedMb / 2);
      seen.push(`${before} to ${after} MB, while processes with ${endedMb} MB of arguments ended`);
      before = after;
    }
    expect(isKept, seen.join('\n')).toBe(false);
  },
  withinMs(240_000),
);
