import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { KSTACK, needs, run, temporaryFolder, testRequires } from './harness.ts';

/** Why this kernel has no source bpf; undefined if it has. */
const REFUSAL = refusal();

/** Tests of the source bpf, where this kernel has it, which is found by trying; else one that the reason is given. */
export function describeBpf(name: string, tests: () => void): void {
  describe(name, () => {
    beforeEach(needs('root', 'BTF'));
    if (REFUSAL === undefined) tests();
    else
      it('is unavailable with this kernel, and says why', () => {
        expect(REFUSAL).toMatch(
          /^kstack: --source bpf: (?:the kernel refuses|Linux \S+ is older than|there is no|cannot) /,
        );
      });
  });
}

function refusal(): string | undefined {
  const { status, stderr } = spawnSync(KSTACK, ['-p', '2', '--source', 'bpf'], { encoding: 'utf8' });
  return status === 0 ? undefined : stderr;
}

/** The sources that this kernel has, for tests that compare what each of them tells. */
export const SOURCES: readonly ('procfs' | 'bpf')[] = REFUSAL === undefined ? ['procfs', 'bpf'] : ['procfs'];

export interface Task {
  readonly tid: number;
  readonly comm: string;
  readonly state: string;
  readonly stack: unknown;
  readonly kernelThread: boolean;
  readonly commandLine: string | null;
  readonly unread: Readonly<Record<string, string>>;
  readonly systemCall: { readonly text: string | null } | null;
  readonly offCpuMs: number | null;
  readonly lock: unknown;
  readonly mmapLock: unknown;
  readonly vforkParent: unknown;
  readonly tracer: unknown;
}

interface Messages {
  readonly stderr: string;
  /** The TIDs of which the source could not read all: on a machine that others use, tasks may hang in an execve. */
  readonly hanging: ReadonlySet<number>;
}

/**
 * All threads by TID, as a source shows them, each with the text of its stack; `around` is a command that runs kstack.
 */
export async function allThreads(
  source: string,
  around: readonly string[] = [],
): Promise<Map<number, Task> & Messages> {
  const [command = '', ...args] = [...around, KSTACK, '-aLv', '-f', 'json', '--source', source];
  const { code, stdout, stderr } = await run(command, args);
  if (code !== 0) throw new Error(`exit ${code}: ${stderr}`);
  const { tasks, stacks, unread } = JSON.parse(stdout);
  const hidden = unread.filter(({ what }: { what: string }) => what === 'task' || what === 'stack');
  const threads = new Map<number, Task>(
    tasks.map((task: Task) => [
      task.tid,
      { ...task, stack: typeof task.stack === 'number' ? stacks[task.stack].frames : task.stack },
    ]),
  );
  return Object.assign(threads, { stderr, hanging: new Set<number>(hidden.map(({ tid }: Task) => tid)) });
}

/** A command that runs another, of whose calls of bpf(2) some fail; the calls are written to `log`. */
export function withFailing(errno: string, when: string, log = '/dev/null'): string[] {
  testRequires('strace');
  const injected = `inject=bpf:error=${errno}:when=${when}`;
  return ['strace', '-f', '--seccomp-bpf', '-o', log, '-e', 'trace=bpf', '-s', '0', '-e', injected];
}

/**
 * The numbers, as `strace -e inject=bpf:when=` counts them, of the calls of bpf(2) that a run makes and whose text
 * matches.
 */
export async function bpfCalls(
  args: readonly string[],
  text: RegExp,
  errno = 'EPERM',
  when = '65535',
): Promise<number[]> {
  const log = join(temporaryFolder(), 'calls');
  const [command = '', ...around] = withFailing(errno, when, log);
  await run(command, [...around, KSTACK, ...args]);
  const lines = readFileSync(log, 'latin1')
    .split('\n')
    .filter((line) => line.includes(' bpf('));
  return lines.flatMap((line, index) => (text.test(line) ? [index + 1] : []));
}
