import { describe, expect, it } from 'vitest';
import { HOSTILE, ODD_SAMPLES } from '../../test/odd-samples.ts';
import { EMPTY_SAMPLE, observationOf, taskOf } from '../../test/samples.ts';
import { verdictOf } from '../analysis/holders/verdict.ts';
import type { Edge, Resource } from '../model/edge.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { parseFrame } from '../model/stack.ts';
import { formatWhy, type WhyContext } from './why.ts';
import { formatWhyJson } from './why-json.ts';
import type { Scope } from './why-sentence.ts';

const CONTEXT: WhyContext = {
  colour: false,
  evidence: true,
  scope: 'host',
  host: { load: [1.5, 2, 0.25], cpus: 2 },
  unknown: [],
};
const written = (sample: Sample, context: Partial<WhyContext> = {}) =>
  [...formatWhy(verdictOf(sample), { ...CONTEXT, ...context })].join('');

describe('a verdict as text', () => {
  it('has no control character and no escape sequence, whatever is in the sample', () => {
    for (const sample of ODD_SAMPLES) {
      const text = written(sample, { unknown: [HOSTILE] });
      expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
      expect(text.isWellFormed()).toBe(true);
    }
  });

  it('does not call a host healthy if the search was cut short', () => {
    const observations = [observationOf(1, { state: 'S' })];
    const cut = verdictOf({ ...EMPTY_SAMPLE, observations, unread: [{ tid: 0, what: 'edges', why: 'timeout' }] });
    expect([...formatWhy(cut, CONTEXT)][0]).toMatch(/^Nothing is known to hold this host up, but the search was cut/);
    expect(JSON.parse([...formatWhyJson(cut, CONTEXT)].join('')).verdict).toBe('unknown');
  });

  it('says of a host that is short of CPUs that tasks wait for one, and which are ready to run', () => {
    const seen = (some: number): Sample => ({
      ...EMPTY_SAMPLE,
      observations: ['R', 'R', 'S'].map((state, at) => observationOf(at + 1, { state: state as 'R' | 'S' })),
      pressure: { cpu: { some } },
    });
    expect(written(seen(59))).not.toMatch(/CPU[:,]/);
    expect(written(seen(98), { scope: 'selection' })).not.toMatch(/CPU[:,]/);
    const verdict = verdictOf(seen(98.12));
    const [sentence, ...lines] = [...formatWhy(verdict, CONTEXT)];
    const told =
      'Tasks wait for a CPU: now 2 tasks run or are ready to run; ' +
      'in 98.12 % of the last 10 seconds, some did (/proc/pressure/cpu).';
    expect(sentence).toMatch(/^Nothing holds this host up: of 3 tasks, none .*\. Tasks wait/);
    expect(sentence).toContain(told);
    expect(lines.join('')).toContain('on a CPU, or ready to run: 1 t1, 2 t2\n  look at    kstack -R -L -f long\n');
    const json = JSON.parse([...formatWhyJson(verdict, CONTEXT)].join(''));
    expect([json.verdict, json.sentence]).toEqual(['healthy', expect.stringContaining(told)]);
  });

  it('is one screen, however much is held up', () => {
    const tasks = Array.from({ length: 3000 }, (_, at) =>
      observationOf(at + 1, {
        task: taskOf(at + 1, { comm: `c${at % 700}` }),
        state: at % 3 === 0 ? 'T' : 'D',
        facts: { offCpuMs: 60_000 },
      }),
    );
    const edges = tasks.flatMap((_, at) =>
      at % 3 === 0 ? [] : [{ from: at + 1, to: at - (at % 3) + 1, by: 'mutex' as const, evidence: [] }],
    );
    const linesWith = (evidence: boolean) =>
      written({ ...EMPTY_SAMPLE, observations: tasks, edges }, { evidence, unknown: Array(500).fill('x') }).split('\n');
    expect(linesWith(false).length).toBeLessThan(50);
    expect(linesWith(true).length).toBeLessThan(100);
    const text = linesWith(false).join('\n');
    expect(text).toContain('... and 992 more that hold up others (-f json has all)');
  });

  it('shows with --evidence what is known of a root, of its longest waiter, and of tasks without a known holder', () => {
    const stack = { value: { id: 7, frames: [parseFrame('[<0>] do_signal_stop+0x1/0x2')] } };
    const seen: Sample = {
      ...EMPTY_SAMPLE,
      source: { name: 'bpf' },
      observations: [
        observationOf(1, { state: 'T', stack, facts: { offCpuMs: 9000 } }),
        observationOf(2, { state: 'S', facts: { offCpuMs: 7000 } }),
        observationOf(3, { state: 'D', stack: { unread: 'timeout' }, facts: { offCpuMs: 8000 } }),
      ],
      edges: [{ from: 2, to: 1, by: 'child', evidence: [{ place: '/proc/2/task/2/children', text: '1' }] }],
    };
    const lines = written(seen)
      .split('\n')
      .filter((line) => line.startsWith('  evidence'));
    expect(lines).toEqual([
      '  evidence   2 t2, child: /proc/2/task/2/children: 1',
      '  evidence   1 t1: BPF iterator task: state T',
      '  evidence   1 t1: BPF iterator task: do_signal_stop',
      '  evidence   1 t1: BPF iterator task: off the CPU for 9.0 s',
      '  evidence   2 t2: BPF iterator task: state S',
      expect.stringMatching(/^ {2}evidence {3}2 t2: BPF iterator task: /),
      '  evidence   2 t2: BPF iterator task: off the CPU for 7.0 s',
      '  evidence   3 t3: BPF iterator task: state D',
      '  evidence   3 t3: BPF iterator task: not read (timeout)',
      '  evidence   3 t3: BPF iterator task: off the CPU for 8.0 s',
    ]);
    const byProc = written({ ...seen, source: { name: 'procfs' } });
    for (const file of ['stat: state T', 'stack: do_signal_stop', 'sched: off the CPU for 9.0 s'])
      expect(byProc).toContain(`\n  evidence   1 t1: /proc/1/${file}\n`);
    expect(written(seen, { evidence: false })).not.toContain('evidence');
  });

  it('shows as many waiters of one name as a number', () => {
    const tasks = Array.from({ length: 301 }, (_, at) =>
      observationOf(at + 1, {
        task: taskOf(at + 1, { comm: at === 0 ? 'holder' : 'postgres' }),
        state: at === 0 ? 'T' : 'D',
      }),
    );
    const edges = tasks.slice(1).map((_, at) => ({ from: at + 2, to: 1, by: 'mutex' as const, evidence: [] }));
    const text = written({ ...EMPTY_SAMPLE, observations: tasks, edges }, { evidence: false });
    expect(text).toMatch(/^300 tasks wait, directly or through others, for 1 holder, which is stopped by a signal\.\n/);
    expect(text).toContain('\n    300 x postgres wait for the mutex that 1 holder holds\n');
  });
});

describe('roots that are alike', () => {
  const stack = { value: { id: 9_100_001, frames: [parseFrame('[<0>] do_signal_stop+0x1/0x2')] } };
  const stopped = (tid: number, comm = 'vf') =>
    observationOf(tid, { task: taskOf(tid, { comm }), state: 'T', stack, facts: { offCpuMs: 1000 * tid } });
  const parents = [1, 2, 3, 4, 5, 6].map((tid) => observationOf(tid, { state: 'D', facts: { offCpuMs: 9000 } }));
  const edges: Edge[] = parents.map((_, at) => ({ from: at + 1, to: at + 11, by: 'vfork', evidence: [] }));
  const children = [11, 12, 13, 14, 15].map((tid) => stopped(tid));

  it('are told as one, with all that they hold up, and so is what would undo it', () => {
    const observations = [...parents, ...children, stopped(16, 'other')];
    expect(
      written({ ...EMPTY_SAMPLE, observations, edges }, { evidence: false })
        .split('\n')
        .slice(0, 13),
    ).toEqual([
      '5 tasks wait, directly or through others, for 5 x vf (11, 12, 13, 14, ...), each of which is stopped by a ' +
        'signal. 1 more holds up others: 6 tasks wait in all.',
      '',
      '5 x vf (11, 12, 13, 14, ...), each of which is stopped by a signal',
      '  hold up    5 tasks, for up to 9.0 s',
      '    1 t1 waits for its vfork child 11 vf to execute a program or end',
      '    ... and so on for the other 4',
      '  look at    kstack -Lp 11,12,13,14,15 -f long',
      '  undo       kill -CONT 11 12 13 14 15   (changes the host)',
      '',
      '16 other, which is stopped by a signal',
      '  holds up   1 task, for up to 9.0 s',
      '    6 t6 waits for its vfork child 16 other to execute a program or end',
      '  look at    kstack -Lp 16 -f long',
    ]);
  });

  it('are waited for in the same way', () => {
    const other = edges.map((edge, at): Edge => (at === 0 ? { ...edge, by: 'child' } : edge));
    const text = written({ ...EMPTY_SAMPLE, observations: [...parents, ...children], edges: other.slice(0, 5) });
    expect(text).toMatch(/^4 tasks wait, [^.]* for 4 x vf \(12, 13, 14, 15\), each .*\n11 vf, which is stopped/s);
  });
});

describe('the sentence', () => {
  it('tells a selection without a task from stacks that could not be read', () => {
    const denied = observationOf(1, { state: 'S', stack: { unread: 'denied' } });
    expect(written(EMPTY_SAMPLE)).toMatch(/^No task matches the selection, so there is no verdict\.\n/);
    expect(written({ ...EMPTY_SAMPLE, observations: [denied] })).toMatch(/^There is no verdict: no kernel stack could/);
  });

  it('is about what the first block is about: a deadlock, then whatever holds up most', () => {
    const stopped = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ from: 10 + at, to: 1, by: 'child' as const, evidence: [] }));
    const deadlock = (from: number, to: number) => [
      { from, to, by: 'futex' as const, inferred: true as const, evidence: [] },
      { from: to, to: from, by: 'mutex' as const, evidence: [] },
    ];
    const observations = [1, 2, 3, 10, 11, 12].map((tid) => observationOf(tid, { state: tid === 1 ? 'T' : 'S' }));
    const told = (...edges: Edge[]) => {
      const sample = { ...EMPTY_SAMPLE, observations, edges };
      const lines = [...formatWhy(verdictOf(sample, sample), CONTEXT)].join('').split('\n');
      return [lines[0], lines[2]];
    };
    expect(told(...stopped(3), ...deadlock(2, 3))).toEqual([
      'Deadlock: 2 t2, 3 t3 wait for each other. 1 more holds up others: 5 tasks wait in all.',
      'deadlock',
    ]);
    expect(told(...stopped(3))).toEqual([
      '3 tasks wait, directly or through others, for 1 t1, which is stopped by a signal.',
      '1 t1, which is stopped by a signal',
    ]);
    const certain = deadlock(11, 12).map(({ from, to }) => ({ from, to, by: 'mutex' as const, evidence: [] }));
    const both = { ...EMPTY_SAMPLE, observations, edges: [...deadlock(2, 3), ...certain] };
    expect(written(both)).toMatch(/^Deadlock: 11 t11, 12 t12 .*\ndeadlock\n.*\nmay be a deadlock\n/s);
  });
});

describe('a verdict on nothing that is held up', () => {
  const sleeper = (tid: number, stack?: string) =>
    observationOf(tid, {
      state: 'S',
      ...(stack !== undefined && {
        stack: { value: { id: 9_200_000 + tid, frames: [parseFrame(`[<0>] ${stack}+0x1/0x2`)] } },
      }),
      facts: { offCpuMs: 9000 },
    });
  const of = (observations: readonly Observation[], more: Partial<Sample> = {}) => ({
    ...EMPTY_SAMPLE,
    observations,
    ...more,
  });

  it('says nothing about the host where tasks were selected', () => {
    const line = (scope: Scope, count: number) =>
      written(of([1, 2, 3].slice(0, count).map((tid) => sleeper(tid))), { scope }).split('\n', 1)[0];
    const none = 'none has been blocked for long, is in a known deadlock, or waits for one that is stuck.';
    expect(line('host', 3)).toBe(`Nothing holds this host up: of 3 tasks, ${none}`);
    expect(line('selection', 3)).toBe(`Nothing holds up the 3 selected tasks: ${none}`);
    expect(line('selection', 1)).toBe(`Nothing holds up the selected task: ${none}`);
    expect(line('sample', 3)).toBe(`Nothing holds up the 3 seen tasks: ${none}`);
  });

  it('names what is stopped or frozen, once a process, unless it is known to hold up others', () => {
    const stopped = (tid: number, pid = tid) =>
      observationOf(tid, { task: { ...taskOf(tid, { comm: 'postgres' }), pid }, state: 'T' });
    const key = 'cgroup2 /g';
    const group: Resource = { key, kind: 'cgroup', name: '/g', condition: 'is frozen', hangs: true, evidence: [] };
    const frozen: Edge = { from: 9, to: key, by: 'frozen', evidence: [] };
    const observations = [sleeper(1), stopped(24979), stopped(24980, 24979), stopped(7), sleeper(9)];
    const waits: Edge = { from: 1, to: 7, by: 'child', evidence: [] };
    const lines = (edges: Edge[]) =>
      written(of(observations, { edges, resources: [group] }))
        .split('\n')
        .filter((line) => /^(?:stopped by|in a frozen)/.test(line));
    expect(lines([frozen])).toEqual([
      'stopped by a signal: 24979 postgres, 7 postgres',
      'in a frozen control group: 9 t9',
    ]);
    expect(lines([waits])).toEqual(['stopped by a signal: 24979 postgres']);
    const { stopped: told } = JSON.parse(
      [...formatWhyJson(verdictOf(of(observations, { edges: [frozen], resources: [group] })), CONTEXT)].join(''),
    );
    expect(told).toEqual({
      bySignal: [
        { pid: 24979, tid: 24979, comm: 'postgres' },
        { pid: 7, tid: 7, comm: 'postgres' },
      ],
      byFreezer: [{ pid: 9, tid: 9, comm: 't9' }],
    });
  });

  it('tells how many of the selected tasks wait for what names nobody who would wake them', () => {
    const sample = of([sleeper(1, 'futex_do_wait'), sleeper(2, 'futex_do_wait'), sleeper(3, 'ep_poll')]);
    expect(written(sample, { scope: 'selection' })).toContain(
      '\nnot known: who would wake 2 tasks that wait for a lock or an event of their program (futex)\n',
    );
    expect(written(sample)).not.toContain('who would wake');
  });
});

describe('a verdict as JSON', () => {
  it('is one valid document in UTF-8, whatever is in the sample', () => {
    for (const sample of ODD_SAMPLES) {
      const text = [...formatWhyJson(verdictOf(sample), CONTEXT)].join('');
      expect(text.isWellFormed()).toBe(true);
      expect(JSON.parse(text)).toMatchObject({ format: 'kstack-why', version: 1, load: [1.5, 2, 0.25] });
    }
  });
});
