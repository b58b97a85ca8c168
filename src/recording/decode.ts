import { listedLater, type Moves, noteChanges } from '../model/changes.ts';
import type { Edge, Resource } from '../model/edge.ts';
import type { Event } from '../model/event.ts';
import type { Pressure } from '../model/pressure.ts';
import type { Sample } from '../model/sample.ts';
import { Definitions, KnownDefinitions } from './definitions.ts';
import { LongList, type Placed } from './long-list.ts';
import { type Place, VERSION } from './record.ts';
import { ListReader, type Run, runsShape } from './runs.ts';
import { changesShape, inTable, observationOf, type Seen, type SeenChanges, SeenReader } from './seen.ts';
import { count, duration, listOf, object, oneOf, type Shape, ShapeError, time, timeSeconds } from './shape.ts';
import { edgeShape, eventShape, placeShape, pressureShape, resourceShape, unreadShape } from './shapes.ts';

/** Bounds memory: a recording may come from anyone. */
const MAX_PLACES = 300_000;
/** Bounds memory: what is nested takes thirty times its text. */
const MAX_DEPTH = 32;
const LONG_LINE = 1 << 18;
/** Bounds time: a line of a few bytes is a sample of all tasks that the segment has. Segments have 360 at most. */
const MAX_SAMPLES = 1000;

/** What the segments of a recording have in common. */
export class Interned {
  readonly definitions: KnownDefinitions;
  /** The tasks of the sample before, which most often are those of the next one, also in another segment. */
  seen = new LongList<Seen>();
  last: Sample | undefined;

  /** @param forgets whether to forget what its latest segments have not: of a stream without an end */
  constructor({ forgets = false } = {}) {
    this.definitions = new KnownDefinitions(forgets);
  }
}

const headShape = object({ format: oneOf(['kstack-recording']), version: count, segment: count }, {});

const sampleShape = object<
  { sample: number },
  {
    timeMs: number;
    uptimeSeconds: number;
    monotonicMs: number;
    tasks: ReturnType<typeof changesShape>;
    holders: ReturnType<typeof changesShape>;
    unread: Sample['unread'];
    edges: Run[] | null;
    resources: Run[] | null;
    events: Event[];
    pressure: Pressure;
  }
>(
  { sample: count },
  {
    timeMs: time,
    uptimeSeconds: timeSeconds,
    monotonicMs: duration,
    tasks: changesShape,
    holders: changesShape,
    unread: listOf(unreadShape),
    edges: runsShape,
    resources: runsShape,
    events: listOf(eventShape),
    pressure: pressureShape,
  },
);

const TEXT = new TextDecoder('utf-8', { ignoreBOM: true });
const KINDS = ['task', 'stack', 'look', 'place', 'edge', 'resource'] as const;

/** Turns the lines of one segment into its samples. */
export class SegmentDecoder {
  readonly #interned: Interned;
  #isBegun = false;
  readonly #places: Place[] = [];
  readonly #definitions: Definitions;
  readonly #reader: SeenReader;
  readonly #edges = new ListReader<Edge>('edge');
  readonly #resources = new ListReader<Resource>('resource');
  #holders = new LongList<Seen>();
  #isFirst = true;
  #samples = 0;

  constructor(interned: Interned) {
    this.#interned = interned;
    this.#definitions = new Definitions(interned.definitions);
    this.#reader = new SeenReader(this.#definitions);
  }

  /** The place behind the line there if it defines again what the segment before has defined; else undefined. */
  passKnown(lines: DataView, from: number): number | undefined {
    return this.#isBegun ? this.#definitions.passKnown(lines, from) : undefined;
  }

  /**
   * Takes the next line. Returns the sample if it is one, with all that it refers to.
   * @throws ShapeError if the line is not what the format says; SyntaxError if it is no JSON
   */
  decode(bytes: Uint8Array): Sample | undefined {
    const line = TEXT.decode(bytes);
    if (line.length > LONG_LINE && isDeep(line)) throw new ShapeError('nested too deeply');
    if (!this.#isBegun) {
      const { version } = headShape(JSON.parse(line), 'head');
      if (version > VERSION) throw new ShapeError(`version ${version} is newer than ${VERSION}: use a newer kstack`);
      this.#isBegun = true;
      return undefined;
    }
    if (this.#definitions.takeLine(line, bytes)) return undefined;
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) throw new ShapeError('a line is an object');
    if ('sample' in value) return this.#sample(value);
    // Other lines are of a later version that only adds some.
    const kind = KINDS.find((name) => name in value);
    if (kind !== undefined) this.#define(kind, value);
    return undefined;
  }

  #define(kind: (typeof KINDS)[number], value: object): void {
    const number = count(new Map(Object.entries(value)).get(kind), kind);
    if (kind === 'place') this.#place(number, isOf(value, placeShape, kind));
    else if (kind === 'edge') this.#edges.define(number, isOf(value, edgeShape, kind));
    else if (kind === 'resource') this.#resources.define(number, isOf(value, resourceShape, kind));
    else this.#definitions.take(kind, number, value);
  }

  #place(number: number, place: Place): void {
    const { length } = this.#places;
    if (number !== length) throw new ShapeError(`place ${number} does not follow place ${length - 1}`);
    if (length >= MAX_PLACES) throw new ShapeError(`more than ${MAX_PLACES} in a segment: place`);
    this.#places.push(place);
  }

  #sample(line: object): Sample {
    const told = sampleShape(line, 'sample');
    const { sample, tasks = {}, holders = {}, unread = [], monotonicMs } = told;
    const place = inTable(this.#places, sample, 'place');
    this.#samples++;
    if (this.#samples > MAX_SAMPLES) throw new ShapeError(`more than ${MAX_SAMPLES} samples in a segment`);
    const interned = this.#interned;
    const reader = this.#reader;
    // The tasks of a new segment are told anew, and most are those of the one before.
    const { now, gone, come, places } = this.#isFirst
      ? reader.first(tasks, interned.seen, monotonicMs)
      : reader.next(interned.seen, tasks, monotonicMs);
    this.#isFirst = false;
    this.#holders = reader.next(this.#holders, holders, monotonicMs).now;
    const held = this.#holders.toArray().map((one) => observationOf(one, monotonicMs));
    const [edges, resources] = [this.#edges.advance(told.edges), this.#resources.advance(told.resources)];
    const graph = { ...(edges !== undefined && { edges }), ...(resources !== undefined && { resources }) };
    const about = { ...place, holders: held, unread };
    // Spreading all of it into an object takes five times as long.
    const whole = listedLater(Object.assign(momentOf(told), about, graph), () =>
      now.toArray().map((one) => observationOf(one, monotonicMs)),
    );
    if (interned.last !== undefined) {
      const lastMs = interned.last.monotonicMs;
      const changes = {
        gone: gone.map((one) => observationOf(one, lastMs)),
        come: come.map((one) => observationOf(one, monotonicMs)),
      };
      noteChanges(interned.last, whole, changes, places && (() => movesOf(places, monotonicMs)));
    }
    interned.seen = now;
    interned.last = whole;
    return whole;
  }
}

function movesOf({ gone, put, set }: NonNullable<SeenChanges['places']>, monotonicMs: number | undefined): Moves {
  const placed = ({ at, item }: Placed<Seen>) => ({ at, observation: observationOf(item, monotonicMs) });
  return { gone, put: put.map(placed), set: set.map(placed) };
}

/** What a sample tells of itself alone. */
function momentOf({ timeMs, uptimeSeconds, monotonicMs, events, pressure }: ReturnType<typeof sampleShape>) {
  const moment: { -readonly [K in keyof Sample]?: Sample[K] } = {};
  if (timeMs !== undefined) moment.timeMs = timeMs;
  if (uptimeSeconds !== undefined) moment.uptimeSeconds = uptimeSeconds;
  if (monotonicMs !== undefined) moment.monotonicMs = monotonicMs;
  if (events !== undefined) moment.events = events;
  if (pressure !== undefined) moment.pressure = pressure;
  return moment;
}

/** Whether brackets are nested more deeply than in any line of a recording. */
function isDeep(line: string): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < line.length && depth <= MAX_DEPTH; at++) {
    const character = line[at];
    if (character === '"') inText = !inText;
    else if (inText) at += character === '\\' ? 1 : 0;
    else if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
  }
  return depth > MAX_DEPTH;
}

function isOf<T>(line: object, shape: Shape<T>, name: string): T {
  return shape('is' in line ? line.is : undefined, name);
}
