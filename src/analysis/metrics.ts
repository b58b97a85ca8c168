import { RESOURCE_KINDS } from '../model/edge.ts';
import { everythingUnread } from '../model/sample.ts';
import { countKinds } from './explain/explain-sample.ts';
import type { Verdict } from './holders/verdict.ts';
import { blockedFinding } from './times/blocked-runs.ts';

/** Values of one name. Their labels come from lists that kstack has: rules, states, kinds, reasons. */
export interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly values: readonly MetricValue[];
}

export interface MetricValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a sample has cost. */
export interface SampleCost {
  readonly seconds: number;
  /** Of kstack and what it has started; undefined if that is not known. */
  readonly cpuSeconds: number | undefined;
  readonly memoryBytes: number;
  /** How many samples were taken so far by a program that stays; undefined for one that ends. */
  readonly samples: number | undefined;
}

/** What holds others up: tasks, resources, and tasks that wait for each other. */
const HOLDERS = ['task', ...RESOURCE_KINDS, 'deadlock'] as const;

/** The numbers of a verdict, for monitoring. */
export function metricsOf(verdict: Verdict, cost: SampleCost): Metric[] {
  const { sample, longestMs, isCut } = verdict;
  const { cpuSeconds, samples } = cost;
  const kinds = Object.entries(countKinds(sample));
  const plain = (value: number | undefined): MetricValue[] => (value === undefined ? [] : [{ labels: {}, value }]);
  return [
    {
      ...gauge('kstack_tasks', 'Tasks seen, by what they do: blocked, idle, running, or unexplained.'),
      values: kinds.map(([kind, value]) => ({ labels: { kind }, value })),
    },
    ...blockedMetrics(verdict),
    {
      ...gauge('kstack_held_up_tasks', 'Tasks that a stuck task or resource holds up, by what holds them up.'),
      values: heldUpValues(verdict),
    },
    {
      ...gauge('kstack_held_up_longest_seconds', 'How long the longest of the waits has lasted that kstack why tells.'),
      values: plain(longestMs === undefined ? undefined : longestMs / 1000),
    },
    {
      ...gauge('kstack_search_cut_short', '1 if not all could be found out of who waits for whom, else 0.'),
      values: plain(Number(isCut)),
    },
    {
      ...gauge('kstack_unread', 'What could not be read of tasks, by what it is and why.'),
      values: counted(everythingUnread(sample), ({ what, why }) => ({ what, why })),
    },
    {
      ...gauge('kstack_source_info', 'How tasks were read: bpf, or procfs.'),
      values: [{ labels: { source: sample.source.name }, value: 1 }],
    },
    {
      ...gauge('kstack_sample_timestamp_seconds', 'When the sample was begun.'),
      values: plain(sample.timeMs === undefined ? undefined : sample.timeMs / 1000),
    },
    { ...gauge('kstack_sample_duration_seconds', 'How long the sample took.'), values: plain(cost.seconds) },
    { ...gauge('kstack_sample_cpu_seconds', 'CPU time that the sample took.'), values: plain(cpuSeconds) },
    { ...gauge('kstack_memory_bytes', 'Memory of kstack.'), values: plain(cost.memoryBytes) },
    {
      name: 'kstack_samples_total',
      type: 'counter',
      help: 'Samples taken for metrics.',
      values: plain(samples),
    } as const,
  ].filter(({ values }) => values.length > 0);
}

function gauge(name: string, help: string) {
  return { name, type: 'gauge', help } as const;
}

function blockedMetrics({ sample }: Verdict): Metric[] {
  const blocked = sample.observations.flatMap((observation) => {
    const finding = blockedFinding(observation);
    return finding === undefined ? [] : [{ observation, rule: finding.rule ?? 'unexplained' }];
  });
  const times = blocked.flatMap(({ observation }) => observation.facts?.offCpuMs ?? []);
  const longest = times.reduce((a, b) => Math.max(a, b), 0) / 1000;
  const isKnown = times.length > 0 || blocked.length === 0;
  return [
    {
      ...gauge('kstack_blocked_tasks', 'Tasks that wait for a resource, by the rule that knows it and their state.'),
      values: counted(blocked, ({ observation: { state = 'unknown' }, rule }) => ({ rule, state })),
    },
    {
      ...gauge('kstack_blocked_longest_seconds', 'For how long the longest of them has not run.'),
      values: isKnown ? [{ labels: {}, value: longest }] : [],
    },
  ];
}

/** Each task once for a kind of holder, whatever holds it up. */
function heldUpValues({ heldUp, deadlocks }: Verdict): MetricValue[] {
  const tasks = new Map<string, Set<number>>(HOLDERS.map((kind) => [kind, new Set()]));
  for (const { root } of heldUp)
    for (const { from } of root.edges)
      if (typeof from === 'number') tasks.get(root.resource?.kind ?? 'task')?.add(from);
  for (const { edges, behind, isConfirmed } of deadlocks) {
    if (!isConfirmed) continue;
    const held = tasks.get('deadlock');
    for (const { from } of edges) if (typeof from === 'number') held?.add(from);
    for (const tid of behind) held?.add(tid);
  }
  return Array.from(tasks, ([holder, { size }]) => ({ labels: { holder }, value: size }));
}

/** How many there are for each set of labels, the most first. */
function counted<T>(things: readonly T[], labelsOf: (thing: T) => Readonly<Record<string, string>>): MetricValue[] {
  const counts = new Map<string, { labels: Readonly<Record<string, string>>; value: number }>();
  for (const thing of things) {
    const labels = labelsOf(thing);
    const key = JSON.stringify(labels);
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { labels, value: 1 });
    else known.value++;
  }
  return [...counts.values()].sort((a, b) => b.value - a.value);
}
