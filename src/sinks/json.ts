import { countKinds, explainGroups, explainObservation } from '../analysis/explain/explain-sample.ts';
import { waitGraph } from '../analysis/holders/wait-graph.ts';
import { signatureOf } from '../analysis/signature.ts';
import { type Edge, isCertain } from '../model/edge.ts';
import type { Finding } from '../model/finding.ts';
import { jsonText } from '../model/json-text.ts';
import type { Observation, Sample } from '../model/sample.ts';
import { eachSample, type Format } from './format.ts';
import {
  eventEntries,
  framesOf,
  placeOf,
  pressureEntries,
  taskText,
  unreadEntries,
  wholeFinding,
} from './json-values.ts';
import { edgeEntry, nodeOf, resourceEntry, tasksIn } from './wait-values.ts';

/** The version of schema/kstack-sample-1.schema.json. Raise it when a property changes its meaning or disappears. */
const VERSION = 1;
/** A piece is output once it has this length. */
const PIECE = 1 << 16;

/** A sample as one JSON document, with one line per stack and per task. */
export const format: Format = {
  fields: ['uid', 'cgroup', 'namespacePid', 'systemCall'],
  facts: true,
  edges: true,
  binary: false,
  write: eachSample(formatJson),
};

export function* formatJson(sample: Sample): Generator<string> {
  const { bootTimeSeconds, source, leftOut } = sample;
  const counts = countKinds(sample);
  const { blocked, idle, running, unexplained } = counts;
  const head = {
    format: 'kstack-sample',
    version: VERSION,
    ...placeOf(sample),
    architecture: sample.architecture ?? null,
    bootTime: bootTimeSeconds === undefined ? null : new Date(bootTimeSeconds * 1000).toISOString(),
    ticksPerSecond: sample.ticksPerSecond ?? null,
    source: { name: source.name, why: source.why ?? null },
    threads: sample.threads,
    fields: sample.fields,
    leftOut: { threads: null, ...NONE_LEFT_OUT, ...leftOut },
    counts: { tasks: blocked + idle + running + unexplained, ...counts },
  };
  yield `${jsonText(head).slice(0, -1)},\n"stacks":[\n`;
  const observations = [...sample.observations, ...sample.holders];
  // A stack that means something else for a task in R, or in D, is there once for each meaning.
  const indexOf = new Map<Finding, number>();
  yield* lines(function* () {
    for (const { stack, finding } of explainGroups({ ...sample, observations })) {
      if (stack === undefined) continue;
      const id = indexOf.size;
      indexOf.set(finding, id);
      yield jsonText({
        id,
        signature: signatureOf(stack),
        frames: framesOf(stack),
        ...(stack.mixed === true && { mixed: true }),
        finding: wholeFinding(finding),
      });
    }
  });
  const tasks = function* (of: readonly Observation[]) {
    for (const observation of of) {
      const id = indexOf.get(explainObservation(observation)) ?? null;
      yield `${taskText(observation, sample)},"stack":${id}}`;
    }
  };
  yield '],\n"tasks":[\n';
  yield* lines(() => tasks(sample.observations));
  yield '],\n"holders":[\n';
  yield* lines(() => tasks(sample.holders));
  const { edges, roots, cycles } = waitGraph(sample);
  yield '],\n"edges":[\n';
  yield* lines(function* () {
    for (const [id, edge] of edges.entries()) yield jsonText({ id, ...edgeEntry(edge) });
  });
  yield '],\n"waits":[\n';
  const numberOf = new Map(edges.map((edge, id) => [edge, id]));
  const numbers = (some: readonly Edge[]) => some.map((edge) => numberOf.get(edge));
  yield* lines(function* () {
    for (const { key, tasks, isAtLeast = false, edges: some } of roots) {
      const told = { root: nodeOf(key), tasks, atLeast: isAtLeast, edges: numbers(some) };
      yield jsonText({ deadlock: false, certain: isCertain(some), ...told });
    }
    for (const { edges: some, isCertain: certain } of cycles) {
      const told = { root: null, tasks: tasksIn(some), atLeast: false, edges: numbers(some) };
      yield jsonText({ deadlock: true, certain, ...told });
    }
  });
  yield '],\n"resources":[\n';
  yield* lines(function* () {
    for (const resource of sample.resources ?? []) yield jsonText(resourceEntry(resource));
  });
  yield '],\n"unread":[\n';
  yield* lines(function* () {
    for (const entry of unreadEntries(sample)) yield jsonText(entry);
  });
  yield '],\n"events":[\n';
  yield* lines(function* () {
    for (const entry of eventEntries(sample)) yield jsonText(entry);
  });
  yield '],\n"pressure":[\n';
  yield* lines(function* () {
    for (const entry of pressureEntries(sample.pressure)) yield jsonText(entry);
  });
  yield ']}\n';
}

/** Only of a text there are lines and frames to leave out. */
const NONE_LEFT_OUT = { blocked: 0, idle: 0, running: 0, unexplained: 0, guessedFrames: 0, lines: 0, mixed: 0 };

/** The elements of an array, one per line, in pieces. */
function* lines(elements: () => Generator<string>): Generator<string> {
  let piece = '';
  let separator = '';
  for (const element of elements()) {
    piece += separator + element;
    separator = ',\n';
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  yield separator === '' ? piece : `${piece}\n`;
}
