import { gzipSync } from 'node:zlib';
import {
  Function as Callee,
  Sample as Counted,
  Label,
  Line,
  Location,
  Mapping,
  Profile,
  StringTable,
  ValueType,
} from 'pprof-format';
import { containerOf } from '../model/container.ts';
import type { Sample } from '../model/sample.ts';
import type { Frame } from '../model/stack.ts';
import { escapeUnsafe } from '../terminal/escape.ts';

/** A task, and the frames to show for it, innermost first. */
export interface PprofTask {
  readonly observation: Sample['observations'][number];
  readonly frames: readonly Frame[];
}

export interface PprofOptions {
  userName(uid: number): string;
}

/**
 * A profile for pprof, compressed by gzip (github.com/google/pprof, proto/profile.proto): one value, tasks/count, for
 * every stack with the same labels: comm, state, user, container, pod. A kernel module is a mapping of its own.
 */
export function formatPprof(sample: Sample, tasks: Iterable<PprofTask>, { userName }: PprofOptions): Buffer {
  const strings = new StringTable();
  const kernel = new Mapping({ id: 1, filename: strings.dedup('[kernel.kallsyms]'), hasFunctions: true });
  const mappings = new Map<string | undefined, Mapping>([[undefined, kernel]]);
  const functions: Callee[] = [];
  const locations = new Map<string, Location>();

  const mappingOf = (module: string | undefined): Mapping => {
    const known = mappings.get(module);
    if (known !== undefined) return known;
    const mapping = new Mapping({
      id: mappings.size + 1,
      filename: strings.dedup(`[${escapeUnsafe(module ?? '')}]`),
      hasFunctions: true,
    });
    mappings.set(module, mapping);
    return mapping;
  };
  const locationOf = ({ symbol, module }: Frame): number => {
    const key = `${symbol}\n${module ?? ''}`;
    const id = locations.size + 1;
    const known = locations.get(key);
    if (known !== undefined) return Number(known.id);
    const name = strings.dedup(escapeUnsafe(symbol));
    functions.push(new Callee({ id, name, systemName: name }));
    locations.set(key, new Location({ id, mappingId: mappingOf(module).id, line: [new Line({ functionId: id })] }));
    return id;
  };

  const counted = new Map<string, { locationId: number[]; labels: [string, string][]; count: number }>();
  for (const { observation, frames } of tasks) {
    const locationId = frames.map(locationOf);
    const labels = labelsOf(observation, userName);
    const key = JSON.stringify([locationId, labels]);
    const known = counted.get(key);
    if (known === undefined) counted.set(key, { locationId, labels, count: 1 });
    else known.count++;
  }
  const samples = Array.from(counted.values(), ({ locationId, labels, count }) => {
    const label = labels.map(
      ([name, text]) => new Label({ key: strings.dedup(name), str: strings.dedup(escapeUnsafe(text)) }),
    );
    return new Counted({ locationId, value: [count], label });
  });
  const tasksCount = () => new ValueType({ type: strings.dedup('tasks'), unit: strings.dedup('count') });
  const profile = new Profile({
    stringTable: strings,
    sampleType: [tasksCount()],
    periodType: tasksCount(),
    period: 1,
    timeNanos: BigInt(sample.timeMs) * 1_000_000n,
    mapping: [...mappings.values()],
    function: functions,
    location: [...locations.values()],
    sample: samples,
    comment: [strings.dedup(escapeUnsafe(`kernel stacks of ${sample.host}, ${sample.kernel}`))],
  });
  return gzipSync(profile.encode());
}

/** What is not known has no label. */
function labelsOf({ task, state }: PprofTask['observation'], userName: (uid: number) => string): [string, string][] {
  const labels: [string, string][] = [
    ['comm', task.comm],
    ['state', state],
  ];
  if (task.uid !== undefined && 'value' in task.uid) labels.push(['user', userName(task.uid.value)]);
  const container = task.cgroup !== undefined && 'value' in task.cgroup ? containerOf(task.cgroup.value) : undefined;
  if (container?.id !== undefined) labels.push(['container', container.id]);
  if (container?.pod !== undefined) labels.push(['pod', container.pod]);
  return labels;
}
