import { changesBetween, noteChanges, withObservations } from '../model/changes.ts';
import type { Edge, Evidence, NodeKey, Resource } from '../model/edge.ts';
import type { Fleet, FleetWait } from '../model/fleet.ts';
import type { Reading } from '../model/reading.ts';
import { type Observation, type Sample, streamKey } from '../model/sample.ts';
import type { SystemCallState } from '../model/system-call.ts';
import type { Task } from '../model/task.ts';
import { type Kind, Stand, wordsLeft } from './redact-text.ts';

type Samples = Iterable<Sample> | AsyncIterable<Sample>;

/** The samples of a stream to hand on: see {@link Redactor}. */
export async function* redacted(samples: Samples, redactor = new Redactor()): AsyncGenerator<Sample> {
  const stream = new RedactedStream(redactor);
  for await (const sample of samples) yield stream.next(sample);
}

/** Makes the samples of a stream ready to hand on, one after the other. */
export class RedactedStream {
  readonly #redactor: Redactor;
  readonly #lasts = new Map<string, { readonly whole: Sample; readonly shown: Sample }>();

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  next(whole: Sample): Sample {
    const { observation } = this.#redactor;
    const shown = this.#redactor.sample(whole);
    const key = streamKey(whole);
    const last = this.#lasts.get(key);
    if (last !== undefined) {
      const { gone, come } = changesBetween(last.whole, whole);
      noteChanges(last.shown, shown, { gone: gone.map(observation), come: come.map(observation) });
    }
    this.#lasts.set(key, { whole, shown });
    return shown;
  }
}

/** Resources have the numbers of the kernel in their keys, or a name. */
const NUMBERED = /^[a-z]+(?:[ -][a-z]+)* [\d:]+$/;
/** Kernel names of disks, which say nothing of their owner. */
const DISK = /^(?:loop|sd[a-z]|vd[a-z]|xvd[a-z]|nvme|dm-|md|mmcblk|sr|zram|nbd)[\dnp]*$/;
/** Of systemd, and the same on every host. */
const SLICES = new Set(['system.slice', 'user.slice', 'machine.slice', 'init.scope', 'kubepods.slice', 'docker']);

/**
 * Makes samples ready to hand on: instead of command-line arguments, user and host names, network addresses, paths and
 * control groups there are words such as `path-3`, the same for the same throughout. Names of tasks and functions,
 * numbers and times stay. Text whose form is not known is left out rather than searched. docs/formats.md tells what is
 * covered.
 */
export class Redactor {
  readonly #stand = new Stand();
  readonly #tasks = new WeakMap<Task, Task>();
  readonly #observations = new WeakMap<Observation, Observation>();
  readonly #commandLines = new WeakMap<Reading<string>, Reading<string>>();

  /** A sentence of kstack that goes with samples. */
  text(text: string): string {
    return this.#stand.text(text);
  }

  /** A value that stands alone. */
  value(text: string): string {
    return this.#stand.for('value', text);
  }

  /** What the kernel says of a server (`nfs: server NAME not responding`) names it. */
  kernelLine(text: string): string {
    return this.#stand.text(
      text.replace(/\bserver (\S+)/, (_, name: string) => `server ${this.#stand.for('server', name)}`),
    );
  }

  /** Of what hosts say together, only they have names of their own. */
  fleet(fleet: Fleet): Fleet {
    const host = (name: string) => this.#stand.for('host', name);
    const ofWait = (wait: FleetWait): FleetWait => ({ ...wait, names: wait.names.map(host) });
    return {
      ...fleet,
      waits: fleet.waits.map(ofWait),
      fresh: fleet.fresh?.map(ofWait),
      unlike: fleet.unlike.map((each) => ({ ...each, host: host(each.host) })),
    };
  }

  sample(sample: Sample): Sample {
    const { host, bootId, source, edges, resources, unread, events, holders } = sample;
    // Not with `...`: that would list the observations.
    const shown = {
      ...withObservations(sample, () => []),
      ...(host !== undefined && { host: this.#stand.for('host', host) }),
      ...(bootId !== undefined && { bootId: this.#reading(bootId, (text) => text) }),
      source: { ...source, ...(source.why !== undefined && { why: this.#stand.text(source.why) }) },
      ...(edges !== undefined && { edges: edges.map(this.#edge) }),
      ...(resources !== undefined && { resources: resources.map(this.#resource) }),
      unread: unread.map(({ detail, comm, ...each }) => ({
        ...each,
        // The content of a malformed file may be anything; the other ones are sentences of kstack.
        ...(detail !== undefined && each.why !== 'malformed' && { detail: this.#stand.text(detail) }),
        ...(comm !== undefined && { comm: this.#stand.name(comm) }),
      })),
      ...(events !== undefined && { events: events.map((event) => ({ ...event, text: this.kernelLine(event.text) })) }),
    };
    return withObservations(shown, () => sample.observations.map(this.observation), holders.map(this.observation));
  }

  readonly observation = (observation: Observation): Observation => {
    let shown = this.#observations.get(observation);
    if (shown !== undefined) return shown;
    const { systemCall, stack, facts } = observation;
    const lock = facts?.lock;
    shown = {
      ...observation,
      task: this.#task(observation.task),
      stack: 'unread' in stack ? withoutDetail(stack) : stack,
      ...(systemCall !== undefined && { systemCall: this.#reading(systemCall, this.#systemCall) }),
      ...(lock?.place !== undefined && { facts: { ...facts, lock: { ...lock, place: this.#stand.text(lock.place) } } }),
    };
    this.#observations.set(observation, shown);
    return shown;
  };

  #task(task: Task): Task {
    let shown = this.#tasks.get(task);
    if (shown !== undefined) return shown;
    const { comm, processName, commandLine, user, cgroup, uid, namespacePid } = task;
    shown = {
      ...task,
      ...(comm !== undefined && { comm: this.#stand.name(comm) }),
      ...(processName !== undefined && { processName: this.#stand.name(processName) }),
      commandLine: this.#commandLine(commandLine, processName ?? comm),
      ...(user !== undefined && { user: this.#stand.for('user', user) }),
      ...(cgroup !== undefined && { cgroup: this.#reading(cgroup, this.#cgroup) }),
      ...(uid !== undefined && { uid: withoutDetail(uid) }),
      ...(namespacePid !== undefined && { namespacePid: withoutDetail(namespacePid) }),
    };
    this.#tasks.set(task, shown);
    return shown;
  }

  /** The threads of a process share the reading. */
  #commandLine(reading: Reading<string>, comm: string | undefined): Reading<string> {
    let shown = this.#commandLines.get(reading);
    if (shown === undefined) {
      shown = this.#reading(reading, (text) => this.#arguments(text, comm));
      this.#commandLines.set(reading, shown);
    }
    return shown;
  }

  /** The program keeps its name if that is the name of the task, too. */
  #arguments(text: string, comm: string | undefined): string {
    if (text === '') return text;
    const ends = text.endsWith('\0');
    const [program = '', ...given] = (ends ? text.slice(0, -1) : text).split('\0');
    const base = program.slice(program.lastIndexOf('/') + 1);
    const first = base !== '' && base === comm ? this.#stand.name(base) : this.#stand.for('argument', program);
    return [first, ...given.map((argument) => this.#stand.for('argument', argument))].join('\0') + (ends ? '\0' : '');
  }

  readonly #cgroup = (path: string): string =>
    path
      .split('/')
      .map((part) => (part === '' || SLICES.has(part) ? part : this.#stand.for('group', part)))
      .join('/');

  readonly #systemCall = (call: SystemCallState): SystemCallState => {
    if (typeof call === 'string') return call;
    const { text, stackPointer, programCounter, ...rest } = call;
    const left = text === undefined ? undefined : wordsLeft(text, this.#stand);
    return { ...rest, ...(left !== undefined && { text: left }) };
  };

  readonly #edge = (edge: Edge): Edge => ({
    ...edge,
    from: this.#key(edge.from),
    to: this.#key(edge.to),
    evidence: edge.evidence.map(this.#evidence),
  });

  readonly #resource = (resource: Resource): Resource => {
    const { kind, name, condition } = resource;
    const isKept = (kind === 'device' && DISK.test(name)) || NUMBERED.test(name);
    return {
      ...resource,
      key: this.#keyText(resource.key),
      name: isKept ? name : this.#stand.for(STANDS_FOR[kind], name),
      ...(condition !== undefined && { condition: this.#stand.text(condition) }),
      evidence: resource.evidence.map(this.#evidence),
    };
  };

  #key(key: NodeKey): NodeKey {
    return typeof key === 'number' ? key : this.#keyText(key);
  }

  #keyText(key: string): string {
    return NUMBERED.test(key) ? key : this.#stand.for('resource', key);
  }

  readonly #evidence = (evidence: Evidence): Evidence => ({
    ...evidence,
    place: this.#stand.text(evidence.place),
    text: this.#stand.text(evidence.text),
  });

  #reading<T>(reading: Reading<T>, shown: (value: T) => T): Reading<T> {
    return 'unread' in reading ? withoutDetail(reading) : { ...reading, value: shown(reading.value) };
  }
}

const STANDS_FOR: Readonly<Record<Resource['kind'], Kind>> = {
  mount: 'path',
  file: 'path',
  server: 'server',
  lock: 'resource',
  pipe: 'resource',
  socket: 'resource',
  device: 'device',
  cgroup: 'path',
};

/** `detail` quotes what was read. */
function withoutDetail<T>(reading: Reading<T>): Reading<T> {
  return 'unread' in reading ? { unread: reading.unread } : reading;
}
