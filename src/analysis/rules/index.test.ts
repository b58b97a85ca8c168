import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ended, fixture, needs, temporaryFolder } from '../../../test/harness.ts';
import { parseFrames, type Stack, StackTable } from '../../model/stack.ts';
import { explain } from '../explain/explain.ts';
import { sleepingPrimitive } from '../explain/sleeping-primitives.ts';
import { functionName } from '../function-name.ts';
import { COMMANDS, type Resource } from './commands.ts';
import { GENERAL_ADVICE } from './general.ts';
import { RULES } from './index.ts';
import { namesOf } from './rule.ts';

const folder = join(import.meta.dirname, 'stacks');

/** Where a stack comes from: a real kernel, a public report, or the kernel's sources. */
const ORIGINS = [
  /^# seen on Linux \d\.\d+(?:$|, )/,
  /^# https?:\/\/\S+(?:$| \(Linux \d\.\d+.*\)$| \(\w+\)$)/,
  /^# written from the kernel's sources(?:$|, )/,
];

interface Example {
  readonly rule: string;
  /** Innermost first; a function may be followed by ` [module]`. */
  readonly functions: readonly string[];
  readonly origin: string | undefined;
  readonly place: string;
}

/**
 * Lines `rule: innermost < ... < outermost` of the files beside the rules. A comment states the origin of the stacks
 * that follow it.
 */
function readExamples(file: string): Example[] {
  let origin: string | undefined;
  return readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .flatMap((line, index) => {
      if (line.startsWith('#')) origin = line;
      if (line === '' || line.startsWith('#')) return [];
      const at = line.indexOf(': ');
      return [
        { rule: line.slice(0, at), functions: line.slice(at + 2).split(' < '), origin, place: `${file}:${index + 1}` },
      ];
    });
}

const EXAMPLES = readdirSync(folder).flatMap(readExamples);

function stackOf(functions: readonly string[]): Stack {
  const lines = functions.map((name) => {
    const [symbol = '', module = ''] = name.split(' ');
    return `[<0>] ${symbol}+0x10/0x20${module === '' ? '' : ` ${module}`}`;
  });
  return { id: 0, frames: parseFrames(lines.join('\n')) };
}

/** On a host with a blocked task, whatever it waits for: that task may hold its own mmap lock, and does not stop. */
const ALWAYS_STUCK: readonly Resource[] = ['processes', 'mmapLock', 'ptrace'];

/** Rules that name both things that may be waited for, where only the functions of locks tell which. */
const LEAVES_OPEN: ReadonlySet<string> = new Set(['cgroup-drain-offline']);
/** The functions that a rule begins with, if it names them. */
const TAKERS: ReadonlyMap<string, readonly string[]> = new Map(
  RULES.map(({ id, match: [first = []] }) => [id, namesOf(first) ?? []]),
);
/** Whether two rules are about what may be waited for in one function: only the functions of a sleep tell which. */
function areOfOneFunction(id: string, other = ''): boolean {
  const takers = TAKERS.get(other) ?? [];
  return TAKERS.get(id)?.some((name) => takers.includes(name)) === true;
}
/** Rules about kinds of sleep. */
const OF_SLEEPS: ReadonlySet<string> = new Set(RULES.filter(({ sleeps }) => sleeps !== undefined).map(({ id }) => id));

describe('every rule', () => {
  it('has an id of its own', () => {
    const ids = RULES.map(({ id }) => id);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
  });

  it('says what, why, how to go on, and names the kernel file it relies on', () => {
    const poor = RULES.filter(
      ({ waitsFor, causes, next, source, match }) =>
        match.length === 0 ||
        /^$|^to |\n/.test(waitsFor) ||
        causes === '' ||
        next.length === 0 ||
        !/^[\w./+-]+\.[chS]: \w+/.test(source),
    );
    expect(poor.map(({ id }) => id)).toEqual([]);
  });

  it('advises only commands of which it is known what they take', () => {
    const unknown = RULES.flatMap(({ id, next }) =>
      next.filter((run) => COMMANDS[run] === undefined).map((run) => [id, run]),
    );
    expect(unknown).toEqual([]);
  });

  it('advises no command that hangs on what the task waits for', () => {
    const hanging = RULES.flatMap(({ id, kind, next, stuck = [] }) => {
      const hangs: readonly Resource[] = kind === 'idle' ? stuck : [...stuck, ...ALWAYS_STUCK];
      return next.filter((run) => COMMANDS[run]?.some((taken) => hangs.includes(taken))).map((run) => [id, run]);
    });
    expect(hanging).toEqual([]);
  });

  it('or where none fits, only such commands that always work', () => {
    const advised = Object.values(GENERAL_ADVICE).flat();
    expect(advised.filter((run) => COMMANDS[run]?.length !== 0)).toEqual([]);
  });

  it('advises how to find who holds a lock that another task holds', () => {
    const silent = RULES.filter(
      ({ waitsFor, next }) => /which (?:another task|other tasks) holds?/.test(waitsFor) && !/kstack/.test(next.join()),
    );
    expect(silent.map(({ id }) => id)).toEqual([]);
  });

  it('advises the end of the kernel log once', () => {
    const doubled = RULES.filter(({ next }) => next.filter((run) => run.startsWith('dmesg -T | tail')).length > 1);
    expect(doubled.map(({ id }) => id)).toEqual([]);
  });

  it('keeps commands that change the host apart from those to look with', () => {
    const changes =
      /^(?:kill|fsfreeze|umount|mount|rmmod|modprobe|swapoff|systemctl (?:re)?start|dmsetup (?:resume|remove)|ip link (?:set|del))\b|> \/(?:proc|sys)/;
    const listed = [...Object.keys(COMMANDS), ...RULES.flatMap(({ next }) => next)];
    expect(listed.filter((run) => changes.test(run))).toEqual([]);
    expect(RULES.flatMap(({ undo = [] }) => undo).filter((run) => COMMANDS[run] !== undefined)).toEqual([]);
  });

  it('says what the task does there, or that it is about the kind of sleep itself', () => {
    const silent = RULES.filter(
      ({ kind, fallback, sleeps, inOrderTo }) =>
        kind === 'blocked' && fallback !== true && sleeps === undefined && inOrderTo === undefined,
    );
    expect(silent.map(({ id }) => id)).toEqual([]);
  });

  it('says it so that it completes "in order to"', () => {
    const odd = RULES.filter(
      ({ inOrderTo = 'do' }) => !/^[a-z][\w-]* /.test(`${inOrderTo} `) || /^(?:to|a|an|the) /.test(inOrderTo),
    );
    expect(odd.map(({ id, inOrderTo }) => [id, inOrderTo])).toEqual([]);
  });

  it('has a stack that it wins', () => {
    const shown = new Set(EXAMPLES.map(({ rule }) => rule));
    expect(RULES.map(({ id }) => id).filter((id) => !shown.has(id))).toEqual([]);
  });

  it('says where each of its stacks comes from', () => {
    const isKnown = (origin = '') => ORIGINS.some((form) => form.test(origin));
    expect(EXAMPLES.filter(({ origin }) => !isKnown(origin)).map(({ place }) => place)).toEqual([]);
    expect(EXAMPLES.filter(({ origin = '' }) => /^# (?:seen|http)/.test(origin)).length).toBeGreaterThan(150);
  });

  it('wins its stacks as /proc prints them and as the kernel log does, with the scheduler in front', () => {
    const outcome = EXAMPLES.map(({ rule: id, functions }) => {
      const printed = explain(stackOf(functions)).rule;
      const logged = explain(stackOf(['__schedule', 'schedule', ...functions])).rule;
      return { id, printed, logged, functions: functions.join(' < ') };
    });
    const isDecided = (id: string, logged = '') => id !== logged && LEAVES_OPEN.has(id) && OF_SLEEPS.has(logged);
    expect(
      outcome.filter(({ id, printed, logged }) => printed !== id || !(logged === id || isDecided(id, logged))),
    ).toEqual([]);
  });

  it('wins them without the slow paths of locks, too, where it is about more than those', () => {
    const onlyPrimitives = new Set(
      RULES.filter(
        ({ id, purpose, match: [first = []] }) =>
          purpose ??
          namesOf(first)?.every((name) => sleepingPrimitive(name) !== undefined) ??
          (id.startsWith('lock-') || id.startsWith('rcu-')),
      ).map(({ id }) => id),
    );
    const outcome = EXAMPLES.filter(({ rule }) => !onlyPrimitives.has(rule)).map(({ rule: id, functions }) => {
      const first = functions.findIndex(
        (name) => sleepingPrimitive(functionName(name.split(' ')[0] ?? '')) === undefined,
      );
      const stack = stackOf(functions.slice(Math.max(first, 0)));
      return { id, won: explain(stack).rule, inD: explain(stack, 'D').rule };
    });
    // Without them, only state D tells a task that waits for a lock from one that idles in the same function, and what
    // is only likely wins.
    const likely = new Set([...LEAVES_OPEN, ...RULES.filter((rule) => rule.likely === true).map(({ id }) => id)]);
    const others = outcome.filter(({ id, won, inD }) => id !== won && id !== inD && !likely.has(won ?? ''));
    expect(others.filter(({ id, won }) => !areOfOneFunction(id, won))).toEqual([]);
  });
});

describe('on this kernel', () => {
  beforeEach(needs('root'));

  it.each([
    ['a time', 'sleep 60'],
    ['a pipe', 'sleep 60 | cat'],
    ['a full pipe', 'cat /dev/zero | sleep 60'],
    ['a FIFO', 'mkfifo fifo && cat fifo'],
    ['a child', 'sleep 60; :'],
    ['a lock of a file', 'flock lock sleep 60 & flock lock true'],
    ['events and futexes', 'node -e "setInterval(() => {}, 1e6)"'],
    ['SIGCONT', 'kill -STOP $$'],
  ])('what waits for %s is explained', async (_, script) => {
    const shell = spawn('sh', ['-c', script], { cwd: temporaryFolder(), detached: true, stdio: 'ignore' });
    const end = ended(shell);
    onTestFinished(async () => {
      process.kill(-(shell.pid ?? Number.NaN), 'SIGKILL');
      await end;
    });
    const pids = await settled(() => processesOf(shell.pid ?? 0));
    expect(pids.flatMap(unexplainedStacks)).toEqual([]);
  });

  it.each(['vfork', 'vfork-chain', 'stopped', 'traced', 'thread'])('what waits as %s is explained', async (what) => {
    const tasks = await fixture('tasks', [what]);
    const pids = await settled(() => tasks);
    expect(pids.flatMap(unexplainedStacks)).toEqual([]);
  });

  it('kernel threads that have nothing to do are explained', async () => {
    const idle = /^(?:kthreadd|ksoftirqd\/\d+|migration\/\d+|cpuhp\/\d+|kswapd\d+|kcompactd\d+|khungtaskd|oom_reaper)$/;
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && idle.test(commOf(name)));
    expect(pids.length).toBeGreaterThan(3);
    expect((await settled(() => pids.map(Number))).flatMap(unexplainedStacks)).toEqual([]);
  });
});

/** Resolves to the processes when all their threads sleep: nothing runs that passes through any function. */
async function settled(processes: () => readonly number[]): Promise<readonly number[]> {
  for (let before = ''; ; ) {
    const pids = processes();
    const stacks = pids.flatMap(stacksOf);
    const now = [...pids, ...stacks].join('\n');
    if (now === before && !stacks.includes('') && !pids.some(runs)) return pids;
    before = now;
    await setTimeout(100);
  }
}

function unexplainedStacks(pid: number): string[] {
  const table = new StackTable();
  return stacksOf(pid).filter((text) => explain(table.intern(text)).kind === 'unexplained');
}

/** The processes of a session. */
function processesOf(session: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => readText(`/proc/${pid}/stat`).split(') ')[1]?.split(' ')[3] === `${session}`).map(Number);
}

const runs = (pid: number) => /^State:\tR/m.test(readText(`/proc/${pid}/status`));

const commOf = (pid: string) => readText(`/proc/${pid}/comm`).trimEnd();

/** The stacks of a process's threads; none of a process that has gone. */
function stacksOf(pid: number): string[] {
  const folder = `/proc/${pid}/task`;
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((tid) => readText(`${folder}/${tid}/stack`).trimEnd());
}

/** Nothing of a process that has gone. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
