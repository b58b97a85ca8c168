import { filledAdvice } from '../analysis/advice.ts';
import { adviceOn, adviceOnDeadlock } from '../analysis/holders/root-advice.ts';
import { type Blocked, type Deadlock, type HeldUp, isHeldUp, type Verdict } from '../analysis/holders/verdict.ts';
import { type Edge, tasksByTid } from '../model/edge.ts';
import { jsonText } from '../model/json-text.ts';
import { escapeInvalid } from '../model/raw-text.ts';
import type { Observation } from '../model/sample.ts';
import { placeOf, pressureEntries, safe, wholeFinding } from './json-values.ts';
import { edgeEntry, nodeOf, resourceEntry } from './wait-values.ts';
import { unknownOf, type WhyContext } from './why.ts';
import { sentenceOf } from './why-sentence.ts';

/** The version of schema/kstack-why-1.schema.json. Raise it when a property changes its meaning or disappears. */
const VERSION = 1;

/** A verdict as one JSON document, with all that was found. */
export function* formatWhyJson(verdict: Verdict, context: WhyContext): Generator<string> {
  const { host, scope } = context;
  const { sample, tasks, inD, longestMs, isBlind, isCut, untimed, deadlocks, heldUp, blocked } = verdict;
  const byTid = tasksByTid(sample);
  const edges = new Map<Edge, number>();
  for (const { edges: some } of [...deadlocks, ...heldUp.map(({ root }) => root)])
    for (const edge of some) if (!edges.has(edge)) edges.set(edge, edges.size);
  const numbers = (some: readonly Edge[]) => some.map((edge) => edges.get(edge));
  const pidOf = (tid: number) => byTid.get(tid)?.task.pid;
  const document = {
    format: 'kstack-why',
    version: VERSION,
    ...placeOf(sample),
    source: { name: sample.source.name, why: sample.source.why ?? null },
    verdict: isHeldUp(verdict) ? 'heldUp' : isBlind || isCut || untimed > 0 ? 'unknown' : 'healthy',
    sentence: escapeInvalid(sentenceOf(verdict, scope)),
    longestMs: longestMs ?? null,
    tasks,
    inD,
    load: host.load ?? null,
    cpus: host.cpus ?? null,
    pressure: pressureEntries(sample.pressure),
    deadlocks: deadlocks.map((each) => ({ ...deadlockEntry(each, pidOf), edges: numbers(each.edges) })),
    roots: heldUp.map((each) => ({ ...rootEntry(each), edges: numbers(each.root.edges) })),
    blocked: blocked.map(blockedEntry),
    stopped: {
      bySignal: stoppedEntries(verdict.stopped.bySignal, byTid),
      byFreezer: stoppedEntries(verdict.stopped.byFreezer, byTid),
    },
    edges: Array.from(edges, ([edge, id]) => ({ id, ...edgeEntry(edge) })),
    resources: (sample.resources ?? []).map(resourceEntry),
    unknown: unknownOf(verdict, context).map(escapeInvalid),
  };
  yield `${jsonText(document)}\n`;
}

function rootEntry(held: HeldUp) {
  const { root, trouble, finding, longestMs } = held;
  const { task, state } = root.observation ?? {};
  const { next, undo } = adviceOn([held]);
  return {
    ...nodeOf(root.key),
    pid: task?.pid ?? null,
    name: safe(task?.comm ?? root.resource?.name),
    state: state ?? null,
    trouble,
    finding: finding === undefined ? null : wholeFinding(finding),
    tasks: root.tasks,
    longestMs: longestMs ?? null,
    next,
    undo,
  };
}

function deadlockEntry(deadlock: Deadlock, pidOf: (tid: number) => number | undefined) {
  const { isConfirmed, behind, longestMs } = deadlock;
  const { next, undo } = adviceOnDeadlock(deadlock, pidOf);
  return { certain: isConfirmed, behind, longestMs: longestMs ?? null, next, undo };
}

function stoppedEntries(tids: readonly number[], byTid: ReadonlyMap<number, Observation>) {
  return tids.map((tid) => {
    const { pid, comm } = byTid.get(tid)?.task ?? {};
    return { pid: pid ?? null, tid, comm: safe(comm) };
  });
}

function blockedEntry({ finding, observations, longestMs }: Blocked) {
  const { next, undo } = filledAdvice(finding, observations);
  const tasks = observations.map(({ task, facts }) => ({
    pid: task.pid ?? null,
    tid: task.id.tid ?? null,
    comm: safe(task.comm),
    offCpuMs: facts?.offCpuMs ?? null,
  }));
  return { finding: wholeFinding(finding), longestMs: longestMs ?? null, tasks, next, undo };
}
