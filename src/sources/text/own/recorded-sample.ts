import type { Edge, Resource } from '../../../model/edge.ts';
import { withEdgeMarks } from '../../../model/edge-marks.ts';
import type { Event } from '../../../model/event.ts';
import type { Pressure } from '../../../model/pressure.ts';
import type { Reading } from '../../../model/reading.ts';
import { type Observation, type Sample, type Unread, unreadOf } from '../../../model/sample.ts';
import type { Stack } from '../../../model/stack.ts';
import type { Task } from '../../../model/task.ts';
import type { InternedStacks } from '../interned.ts';
import { edgesBeyondFacts } from './edges.ts';
import type { Fields } from './fields.ts';
import { framesIn, type TaskRecord, type UnreadRecord } from './task.ts';

/** More than a host may have in one sample makes several samples, so that memory is bounded. */
export const MOST_TASKS = 200_000;
const MOST_EDGES = 200_000;
const MOST_RESOURCES = 10_000;
const MOST_UNREAD = 10_000;
const MOST_EVENTS = 10_000;
/** Of a stream of nonsense, the first are enough to see what is wrong. */
const MOST_MALFORMED = 10;

/** When and where a sample was taken. */
export type Place = Pick<Sample, 'timeMs' | 'host' | 'kernel' | 'bootId'>;

/** The place that a document or a line tells, without `bootId` if it could not be read. */
export function placeOf(fields: Fields): Place {
  const timeMs = fields.time('time');
  const host = fields.text('host');
  const kernel = fields.text('kernel');
  const bootId = fields.text('bootId');
  return {
    ...(timeMs !== undefined && { timeMs }),
    ...(host !== undefined && { host }),
    ...(kernel !== undefined && { kernel }),
    ...(bootId !== undefined && { bootId: { value: bootId } }),
  };
}

/** A sample that is being read back. */
export class RecordedSample {
  readonly #stacks: InternedStacks;
  readonly #tellMalformed: (why: string) => void;
  #observations: Observation[] = [];
  #holders: Observation[] = [];
  #edges: Edge[] = [];
  #resources: Resource[] = [];
  #unread: Unread[] = [];
  #malformed: Unread[] = [];
  #events: Event[] = [];
  #pressure: Pressure = {};
  #leftOut = 0;
  #bootId: Reading<string> | undefined;

  constructor(stacks: InternedStacks, malformed: (why: string) => void) {
    this.#tellMalformed = malformed;
    this.#stacks = stacks;
  }

  get isEmpty(): boolean {
    const { tasks, told } = this;
    return tasks + this.#holders.length + this.#unread.length + told + this.#malformed.length + this.#leftOut === 0;
  }

  get tasks(): number {
    return this.#observations.length;
  }

  get unread(): number {
    return this.#unread.length;
  }

  /** How many events and pressures it has. */
  get told(): number {
    return this.#events.length + Object.keys(this.#pressure).length;
  }

  /** @throws Malformed */
  stackOf(frames: readonly unknown[], path: string, isMixed = false): Stack {
    return this.#stacks.intern(framesIn(frames, path), isMixed);
  }

  /** Without a stack, the task has none, or it could not be read. */
  add({ observation, stackUnread }: TaskRecord, stack: Stack | undefined, to: 'tasks' | 'holders' = 'tasks'): void {
    const list = to === 'tasks' ? this.#observations : this.#holders;
    if (list.length >= MOST_TASKS) {
      this.#leftOut++;
      return;
    }
    const before = list.at(-1)?.task;
    list.push({
      ...observation,
      task: sharing(observation.task, before),
      stack: stackUnread === undefined ? { value: stack ?? this.#stacks.intern([]) } : { unread: stackUnread },
    });
  }

  addUnread({ what, ...entry }: UnreadRecord): void {
    if (what === 'bootId') {
      const { why, detail } = entry;
      if (why !== 'cut') this.#bootId = { unread: why, ...(detail !== undefined && { detail }) };
    } else if (this.#unread.length < MOST_UNREAD) this.#unread.push({ ...entry, what });
    else this.#leftOut++;
  }

  addEdge(edge: Edge): void {
    if (this.#edges.length < MOST_EDGES) this.#edges.push(edge);
    else this.#leftOut++;
  }

  addResource(resource: Resource): void {
    if (this.#resources.length < MOST_RESOURCES) this.#resources.push(resource);
    else this.#leftOut++;
  }

  addEvent(event: Event): void {
    if (this.#events.length < MOST_EVENTS) this.#events.push(event);
    else this.#leftOut++;
  }

  addPressure(pressure: Pressure): void {
    this.#pressure = { ...this.#pressure, ...pressure };
  }

  addMalformed(detail: string): void {
    this.#tellMalformed(detail);
    if (this.#malformed.length < MOST_MALFORMED)
      this.#malformed.push({ tid: 0, what: 'task', why: 'malformed', detail });
    else this.#leftOut++;
  }

  leaveOut(count = 1): void {
    this.#leftOut += count;
  }

  /** The sample. The next one begins empty. */
  finish(head: Omit<Sample, 'observations' | 'holders' | 'unread'>): Sample {
    const { observations, unread } = withDetails(this.#observations, this.#unread);
    const edges = edgesBeyondFacts(this.#edges, [...observations, ...this.#holders]);
    const lines = (head.leftOut.lines ?? 0) + this.#leftOut;
    const sample: Sample = {
      ...head,
      ...(this.#bootId !== undefined && head.bootId === undefined && { bootId: this.#bootId }),
      observations: withEdgeMarks(observations, edges),
      holders: withEdgeMarks(this.#holders, edges),
      leftOut: { ...head.leftOut, ...(lines > 0 && { lines }) },
      unread: [...unread, ...this.#malformed],
      ...(edges.length > 0 && { edges }),
      ...(this.#resources.length > 0 && { resources: this.#resources }),
      ...(this.#events.length > 0 && { events: this.#events }),
      ...(Object.keys(this.#pressure).length > 0 && { pressure: this.#pressure }),
    };
    this.#observations = [];
    this.#holders = [];
    this.#edges = [];
    this.#resources = [];
    this.#unread = [];
    this.#malformed = [];
    this.#events = [];
    this.#pressure = {};
    this.#leftOut = 0;
    this.#bootId = undefined;
    return sample;
  }
}

/** The threads of a process share the reading of its command line. */
function sharing(task: Task, before: Task | undefined): Task {
  const [now, then] = [task.commandLine, before?.commandLine];
  if (then === undefined || task.pid === undefined || task.pid !== before?.pid) return task;
  const isSame =
    'value' in now
      ? 'value' in then && now.value === then.value && now.cut === then.cut
      : 'unread' in then && now.unread === then.unread;
  return isSame ? { ...task, commandLine: then } : task;
}

/**
 * The written list also has what the readings of the tasks tell, with the details that these lack. They get them, and
 * what is left of the list is what nothing else tells.
 */
function withDetails(
  observations: readonly Observation[],
  unread: readonly Unread[],
): { observations: readonly Observation[]; unread: readonly Unread[] } {
  if (unread.length === 0) return { observations, unread };
  const keyOf = ({ tid, what, why }: Unread) => `${tid} ${what} ${why}`;
  const derived = new Set(unreadOf(observations).map(keyOf));
  const details = new Map(
    unread.flatMap((entry) => (entry.detail === undefined ? [] : [[`${entry.tid} ${entry.what}`, entry.detail]])),
  );
  return {
    observations: details.size === 0 ? observations : observations.map((each) => withDetail(each, details)),
    unread: unread.filter((entry) => !derived.has(keyOf(entry))),
  };
}

function withDetail(observation: Observation, details: ReadonlyMap<string, string>): Observation {
  const { task, stack, systemCall } = observation;
  const { commandLine, uid, cgroup, namespacePid } = task;
  const detailed = <T>(what: string, reading: Reading<T>): Reading<T> => {
    const detail = details.get(`${task.id.tid} ${what}`);
    return 'unread' in reading && detail !== undefined ? { ...reading, detail } : reading;
  };
  return {
    ...observation,
    task: {
      ...task,
      commandLine: detailed('commandLine', commandLine),
      ...(uid !== undefined && { uid: detailed('uid', uid) }),
      ...(cgroup !== undefined && { cgroup: detailed('cgroup', cgroup) }),
      ...(namespacePid !== undefined && { namespacePid: detailed('namespacePid', namespacePid) }),
    },
    stack: detailed('stack', stack),
    ...(systemCall !== undefined && { systemCall: detailed('systemCall', systemCall) }),
  };
}
