import { describe, expect, it } from 'vitest';
import { explain } from '../../analysis/explain/explain.ts';
import type { WriteContext } from '../../sinks/format.ts';
import { loadFormat } from '../../sinks/formats.ts';
import { textSamples } from './index.ts';
import { StackFinder } from './stacks/stacks.ts';

const CONTEXT: WriteContext = {
  zoneAt: () => ({ offsetSeconds: 0, abbreviation: 'UTC' }),
  colour: false,
  full: false,
  annotate: false,
};

function find(...lines: readonly string[]): StackFinder['found'] {
  const finder = new StackFinder();
  for (const line of lines) finder.take(line === '' ? '' : `[    1.000000] ${line}`);
  finder.end();
  return finder.found;
}

function mixedIn(...lines: readonly string[]): number {
  return find(...lines).reduce((sum, { leftOut }) => sum + leftOut.mixed, 0);
}

const [A, B] = ['task:a state:D stack:0 pid:7', 'task:b state:D stack:0 pid:8'];
const TRACE = 'Call Trace:';
const cpu = (number: number) => `CPU: ${number} PID: ${7 + number} Comm: c${number} Not tainted 6.1`;
const frames = (...symbols: readonly string[]) => symbols.map((symbol) => ` ${symbol}+0x1/0x2`);

describe('traces that CPUs wrote into one another are said to be mixed', () => {
  it.each([
    ['two headers of tasks', [A, B, TRACE, ...frames('f', 'g')]],
    ['two headers of CPUs', [cpu(0), cpu(1), TRACE, ...frames('f', 'g')]],
    ['two beginnings', [A, TRACE, TRACE, ...frames('f', 'g')]],
    ['a header in the middle', [A, TRACE, ...frames('f'), cpu(1), ...frames('g')]],
    [
      'two stacks in turn',
      [
        A,
        TRACE,
        ...frames('__schedule', '__schedule', 'schedule', 'schedule', 'futex_wait', 'worker_thread', 'kthread'),
      ],
    ],
    [
      'a thread and a system call in turn',
      [A, TRACE, ...frames('spin', 'f', 'kthread', 'do_syscall_64', 'ret_from_fork')],
    ],
    ['frames in turn', [A, TRACE, ...frames('__schedule', '__schedule', 'schedule', 'schedule', 'f', 'g')]],
  ])('%s', (_, lines) => expect(mixedIn(...lines)).toBeGreaterThan(0));

  it.each([
    ['a report and the header', ['INFO: task a:7 blocked for more than 120 seconds.', A, TRACE, ...frames('f', 'g')]],
    ['reports without stacks', ['INFO: task b:8 blocked for more than 120 seconds.', A, TRACE, ...frames('f', 'g')]],
    ['one after the other', [A, TRACE, ...frames('f'), B, TRACE, ...frames('g')]],
    ['a task that runs on another CPU', ['task:c state:R stack:0 pid:9', A, TRACE, ...frames('f')]],
    ['a function that calls itself', [A, TRACE, ...frames('__schedule', 'f', 'f', 'f', 'g', 'g')]],
    ['raw memory before the trace', [cpu(0), 'Stack:', TRACE, ...frames('f')]],
  ])('but not %s', (_, lines) => expect(mixedIn(...lines)).toBe(0));
});

describe('of traces that CPUs wrote into one another', () => {
  const told = (...lines: readonly string[]) =>
    find(...lines).map(({ tasks, stack, untold }) => [
      tasks.map(({ name, tid, state }) => `${name} ${tid} ${state}`).join(', '),
      untold === true ? 'untold' : stack.frames.map(({ symbol }) => symbol).join(' '),
    ]);
  const twice = (lines: readonly string[]) => lines.flatMap((line) => [line, line]);

  it('no frame is said to be of a task', () => {
    const inTurn = ['spin', 'send', 'f', 'g', 'do_syscall_64', 'do_syscall_64'];
    expect(told(cpu(0), cpu(1), TRACE, TRACE, ...frames(...inTurn))).toEqual([
      ['c0 7 R', 'untold'],
      ['c1 8 R', 'untold'],
      ['', inTurn.join(' ')],
    ]);
  });

  it('each of both has the stack that stands there twice, line by line', () => {
    const lines = twice([TRACE, ...frames('spin', 'f', 'do_syscall_64')]);
    expect(told(cpu(0), cpu(1), ...lines)).toEqual([['c0 7 R, c1 8 R', 'spin f do_syscall_64']]);
    expect(mixedIn(cpu(0), cpu(1), ...lines)).toBe(0);
  });

  it('and of three, no more is known than of two that differ', () => {
    const lines = twice([TRACE, ...frames('spin', 'f', 'g')]);
    expect(told(cpu(0), cpu(1), cpu(2), ...lines).map(([task]) => task)).toEqual(['c0 7 R', 'c1 8 R', 'c2 9 R', '']);
  });
});

describe('a stack of traces that CPUs wrote into one another', () => {
  const inTurn = [cpu(0), cpu(1), TRACE, TRACE, ...frames('native_queued_spin_lock_slowpath', 'f', 'mutex_lock', 'g')];

  it('is not explained, however much its frames look like one wait, and stays so in JSON', async () => {
    const text = inTurn.map((line) => `[    1.000000] ${line}\n`);
    let pieces = '';
    for await (const piece of (await loadFormat('json')).write(textSamples(text), CONTEXT)) pieces += piece;
    for (const input of [text, [pieces]]) {
      const told: unknown[] = [];
      for await (const { observations } of textSamples(input))
        for (const { stack } of observations)
          if ('value' in stack && stack.value.frames.length > 0)
            told.push(...(['R', 'D'] as const).map((state) => explain(stack.value, state)));
      expect(told).toHaveLength(2);
      for (const finding of told)
        expect(finding).toMatchObject({
          kind: 'unexplained',
          rule: undefined,
          waitsFor: expect.stringContaining('cannot be told apart'),
        });
    }
  });
});

describe('a task of which the kernel names the lock first', () => {
  const owner = 'INFO: task a:7 is blocked on a mutex likely owned by task cp:778.';

  it('is one task with its stack', () => {
    const found = find(owner, A, TRACE, ...frames('f', 'g'));
    expect(found.map(({ tasks, stack }) => [tasks, stack.frames.length])).toEqual([
      [[{ name: 'a', tid: 7, state: 'D', lock: { kind: 'mutex', owner: 778, inferred: true } }], 2],
    ]);
  });

  it('is known without a stack, too', () => {
    expect(find(owner, B, TRACE, ...frames('f')).map(({ tasks }) => tasks[0]?.tid)).toEqual([8, 7]);
  });
});
