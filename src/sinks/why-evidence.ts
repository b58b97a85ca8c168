import { tasksByTid } from '../model/edge.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { formatDuration } from '../terminal/duration.ts';
import { escapeUnsafe } from '../terminal/escape.ts';

const MOST_FRAMES = 6;

/** What a task's state, its stack and the time it has waited were read from, and what they were: `PLACE: TEXT`. */
export function taskEvidence({ task, state, stack, facts }: Observation, { source }: Pick<Sample, 'source'>): string[] {
  const { tid } = task.id;
  const isBpf = source.name === 'bpf';
  const place = (file: string) => (isBpf ? 'BPF iterator task' : `/proc/${tid}/${file}`);
  const lines: string[] = [];
  if (state !== undefined) lines.push(`${place('stat')}: state ${state}`);
  if ('value' in stack) {
    const symbols = stack.value.frames.slice(0, MOST_FRAMES).map(({ symbol }) => symbol);
    const more = stack.value.frames.length > MOST_FRAMES ? ' ...' : '';
    lines.push(`${place('stack')}: ${escapeUnsafe(symbols.join(' '))}${more}`);
  } else lines.push(`${place('stack')}: not read (${stack.unread})`);
  if (facts?.offCpuMs !== undefined) lines.push(`${place('sched')}: off the CPU for ${formatDuration(facts.offCpuMs)}`);
  return lines;
}

/** Of these tasks, the one that has waited longest; undefined if that is not known of any. */
export function longestWaiter(tids: Iterable<number>, sample: Sample): Observation | undefined {
  const byTid = tasksByTid(sample);
  let longest: Observation | undefined;
  for (const tid of tids) {
    const observation = byTid.get(tid);
    const waitedMs = observation?.facts?.offCpuMs;
    if (waitedMs !== undefined && waitedMs > (longest?.facts?.offCpuMs ?? -1)) longest = observation;
  }
  return longest;
}
