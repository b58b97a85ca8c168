import { gzipSync } from 'node:zlib';
import {
  Function as Callee,
  Label,
  Line,
  Location,
  Mapping,
  Sample as PprofSample,
  Profile,
  StringTable,
  ValueType,
} from 'pprof-format';
import { explainObservation, kindOf } from '../analysis/explain/explain-sample.ts';
import { framesOf } from '../analysis/fold.ts';
import { containerOf } from '../model/container.ts';
import type { Observation, Sample } from '../model/sample.ts';
import type { Frame } from '../model/stack.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import type { Format, Samples } from './format.ts';

/**
 * A profile for pprof, compressed with gzip (github.com/google/pprof, proto/profile.proto). Tasks with the same stack
 * and labels (comm, pid, state, kind, finding, user, container, pod) are one sample with one value, tasks/count. Each
 * kernel module is a mapping.
 */
export const format: Format = { fields: ['uid', 'cgroup'], facts: false, binary: true, write: formatPprof };

async function* formatPprof(samples: Samples): AsyncGenerator<Buffer> {
  const builder = new ProfileBuilder();
  for await (const sample of samples) builder.add(sample);
  yield builder.end();
}

interface Counted {
  readonly locationId: number[];
  readonly labels: readonly (readonly [string, string | number])[];
  count: number;
}

/** Counts the tasks of samples by their stack and labels. */
class ProfileBuilder {
  readonly #strings = new StringTable();
  readonly #mappings = new Map<string | undefined, Mapping>();
  readonly #functions: Callee[] = [];
  readonly #locations = new Map<string, number>();
  readonly #lines: Location[] = [];
  readonly #counted = new Map<string, Counted>();
  #first: Sample | undefined;
  /** Of the samples that have a time. */
  #firstMs: number | undefined;
  #lastMs = 0;

  constructor() {
    const filename = this.#strings.dedup('[kernel.kallsyms]');
    this.#mappings.set(undefined, new Mapping({ id: 1, filename, hasFunctions: true }));
  }

  add(sample: Sample): void {
    this.#first ??= sample;
    this.#firstMs ??= sample.timeMs;
    this.#lastMs = sample.timeMs ?? this.#lastMs;
    for (const observation of sample.observations) {
      const locationId = framesOf(observation).map((frame) => this.#locationOf(frame));
      const labels = labelsOf(observation);
      const key = JSON.stringify([locationId, labels]);
      const known = this.#counted.get(key);
      if (known === undefined) this.#counted.set(key, { locationId, labels, count: 1 });
      else known.count++;
    }
  }

  end(): Buffer {
    const strings = this.#strings;
    const { host = 'unknown host', kernel = 'unknown kernel' } = this.#first ?? {};
    const firstMs = this.#firstMs ?? 0;
    const tasksCount = () => new ValueType({ type: strings.dedup('tasks'), unit: strings.dedup('count') });
    const profile = new Profile({
      stringTable: strings,
      sampleType: [tasksCount()],
      periodType: tasksCount(),
      period: 1,
      timeNanos: BigInt(Math.floor(firstMs)) * 1_000_000n,
      durationNanos: BigInt(Math.max(0, Math.floor(this.#lastMs - firstMs))) * 1_000_000n,
      mapping: [...this.#mappings.values()],
      function: this.#functions,
      location: this.#lines,
      sample: Array.from(this.#counted.values(), ({ locationId, labels, count }) => {
        return new PprofSample({ locationId, value: [count], label: labels.map((label) => this.#labelOf(label)) });
      }),
      comment: [strings.dedup(escapeUnsafe(`kernel stacks of ${host}, ${kernel}`))],
    });
    return gzipSync(profile.encode());
  }

  #labelOf([name, value]: readonly [string, string | number]): Label {
    const key = this.#strings.dedup(name);
    if (typeof value === 'number') return new Label({ key, num: value });
    return new Label({ key, str: this.#strings.dedup(escapeUnsafe(value)) });
  }

  #mappingOf(module: string | undefined): Mapping {
    const known = this.#mappings.get(module);
    if (known !== undefined) return known;
    const filename = this.#strings.dedup(`[${escapeUnsafe(module ?? '')}]`);
    const mapping = new Mapping({ id: this.#mappings.size + 1, filename, hasFunctions: true });
    this.#mappings.set(module, mapping);
    return mapping;
  }

  #locationOf({ symbol, module }: Frame): number {
    const key = `${symbol}\n${module ?? ''}`;
    const known = this.#locations.get(key);
    if (known !== undefined) return known;
    const id = this.#lines.length + 1;
    const name = this.#strings.dedup(escapeUnsafe(symbol));
    this.#functions.push(new Callee({ id, name, systemName: name }));
    const line = [new Line({ functionId: id })];
    this.#lines.push(new Location({ id, mappingId: this.#mappingOf(module).id, line }));
    this.#locations.set(key, id);
    return id;
  }
}

/** Unknown attributes get no label. */
function labelsOf(observation: Observation): (readonly [string, string | number])[] {
  const { comm, pid, uid, user, cgroup } = observation.task;
  const uidText = uid !== undefined && 'value' in uid ? String(uid.value) : undefined;
  const container = cgroup !== undefined && 'value' in cgroup ? containerOf(cgroup.value) : undefined;
  const labels: readonly (readonly [string, string | number | undefined])[] = [
    ['comm', comm],
    ['pid', pid],
    ['state', observation.state],
    ['kind', kindOf(observation)],
    ['finding', explainObservation(observation).rule],
    ['user', user ?? uidText],
    ['container', container?.id],
    ['pod', container?.pod],
  ];
  return labels.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}
