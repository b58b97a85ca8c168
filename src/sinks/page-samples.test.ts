import fc from 'fast-check';
import { expect, it } from 'vitest';
import { verdictOf } from '../analysis/holders/verdict.ts';
import { report } from '../analysis/times/report.ts';
import { TaskLives } from '../analysis/times/task-lives.ts';
import type { Edge } from '../model/edge.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { StackTable } from '../model/stack.ts';
import type { State, Task } from '../model/task.ts';
import { SegmentEncoder } from '../recording/encode.ts';
import { recordedSamples } from '../recording/read.ts';
import { PageSamples } from './page-samples.ts';

const stacks = new StackTable();
const WAITS = {
  idle: ['S', 'ep_poll'],
  other: ['S', 'nobody_knows_this'],
  blocked: ['D', 'jbd2_log_wait_commit'],
  stopped: ['T', 'do_signal_stop'],
} as const satisfies Record<string, readonly [State, string]>;

interface Moment {
  readonly wait: keyof typeof WAITS;
  readonly switches: number;
  readonly lockOwner: number | undefined;
}

const tasks = Array.from({ length: 5 }, (_, at): Task => {
  const tid = at + 1;
  return { id: { tid, startTicks: 1 }, pid: tid, comm: `p${tid}`, commandLine: { value: '' } };
});

function seen(tid: number, { wait, switches, lockOwner }: Moment): Observation {
  const [state, symbol] = WAITS[wait];
  const [task] = tasks.slice(tid - 1);
  if (task === undefined) throw new Error(`there is no task ${tid}`);
  const lock = lockOwner === undefined ? {} : { lock: { kind: 'mutex', owner: lockOwner } as const };
  const facts = { switches, offCpuMs: 100 * switches, ...lock };
  return { task, state, cpu: switches % 4, stack: { value: stacks.intern(`[<0>] ${symbol}+0x1/0x2`) }, facts };
}

function sampleAt(seconds: number, observations: readonly Observation[], edges: readonly Edge[] = []): Sample {
  return {
    timeMs: 1000 * seconds,
    monotonicMs: 100_000 + 1000 * seconds,
    host: 'h',
    source: { name: 'bpf' },
    threads: true,
    fields: [],
    observations,
    holders: [],
    leftOut: {},
    unread: [],
    ...(edges.length > 0 && { edges }),
  };
}

function linesOf(samples: Iterable<Sample>): string[] {
  const encoder = new SegmentEncoder(0);
  return Array.from(samples, (sample) => encoder.encode(sample));
}

async function decoded(lines: readonly string[]): Promise<Sample[]> {
  async function* pieces() {
    for (const line of lines) yield Buffer.from(line);
  }
  const damaged = (line: number, why: string) => {
    throw new Error(`${line}: ${why}`);
  };
  const samples: Sample[] = [];
  for await (const sample of recordedSamples(pieces(), damaged)) samples.push(sample);
  return samples;
}

function shownOf(samples: readonly Sample[]): Sample[] {
  const page = new PageSamples();
  return samples.map((sample) => page.next(sample));
}

/** All that views show of samples. */
async function seenIn(samples: readonly Sample[]): Promise<unknown> {
  const lives = new TaskLives();
  for (const sample of samples) lives.add(sample);
  const verdicts = samples.map((sample) => {
    const { sample: _, graph, ...said } = verdictOf(sample);
    return { ...said, edges: graph.edges };
  });
  const stretches = lives
    .all()
    .map(({ key, stretches: some }) => [key, some.map(({ fromMs, toMs }) => [fromMs, toMs])]);
  return withoutIds({ verdicts, stretches, report: await report(samples) });
}

/** Stacks have a number of their process. */
function withoutIds(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (name, inner) => (name === 'id' ? undefined : inner));
}

const tid = fc.integer({ min: 1, max: 5 });
const moment = fc.record<Moment>({
  wait: fc.constantFrom(...(Object.keys(WAITS) as (keyof typeof WAITS)[])),
  switches: fc.integer({ min: 0, max: 60 }),
  lockOwner: fc.option(tid, { nil: undefined, freq: 8 }),
});
const edge = fc.tuple(tid, tid).map(([from, to]): Edge => ({ from, to, by: 'flock', evidence: [] }));
const drawn = fc.record({
  tasks: fc.uniqueArray(fc.tuple(tid, moment), { selector: ([number]) => number }),
  edges: fc.array(edge, { maxLength: 2 }),
});

it('tell what the whole samples tell, also when they are read again', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(drawn, { maxLength: 8 }), fc.boolean(), async (all, isRecorded) => {
      const given = all.map(({ tasks: some, edges }, at) =>
        sampleAt(
          at,
          some.toSorted(([a], [b]) => a - b).map(([number, each]) => seen(number, each)),
          edges,
        ),
      );
      const whole = isRecorded ? await decoded(linesOf(given)) : given;
      const page = await decoded(linesOf(shownOf(whole)));
      expect(await seenIn(page)).toEqual(await seenIn(await decoded(linesOf(given))));
    }),
  );
});

it('say nothing of tasks that only ran, unless somebody waits for them', async () => {
  const at = (seconds: number, edges: readonly Edge[] = []) =>
    sampleAt(
      seconds,
      [1, 2, 3].map((number) => seen(number, { wait: 'idle', switches: seconds, lockOwner: undefined })),
      edges,
    );
  const whole = await decoded(linesOf([0, 1, 2, 3].map((seconds) => at(seconds))));
  const lines = linesOf(shownOf(whole));
  expect(lines.slice(1).filter((line) => line.includes('"tasks"'))).toEqual([]);
  expect(lines.join('')).not.toContain('"cpu"');
  const held: Edge = { from: 3, to: 2, by: 'flock', evidence: [] };
  const [, second] = await decoded(linesOf(shownOf(await decoded(linesOf([at(0), at(1, [held])])))));
  expect(second?.observations.map(({ facts }) => facts?.switches)).toEqual([undefined, 1, 1]);
});
