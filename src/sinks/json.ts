import { countKinds, explainGroups } from '../analysis/explain-sample.ts';
import { signatureOf } from '../analysis/signature.ts';
import { waitGraph } from '../analysis/wait-graph.ts';
import type { Finding } from '../model/finding.ts';
import { escapeInvalid } from '../model/raw-text.ts';
import { everythingUnread, type Sample } from '../model/sample.ts';
import type { Stack } from '../model/stack.ts';
import { eachSample, type Format } from './format.ts';
import { framesOf, jsonText, placeOf, taskOf, unreadEntry } from './json-values.ts';

/** Of schema/kstack-sample-1.schema.json: goes up when what is there changes its meaning or goes. */
const VERSION = 1;
/** How long a piece becomes before it is given out. */
const PIECE = 1 << 16;

/** A sample as one JSON document, a line for each stack and each task. */
export const format: Format = {
  fields: ['uid', 'cgroup', 'namespacePid', 'systemCall'],
  facts: true,
  binary: false,
  write: eachSample(formatJson),
};

export function* formatJson(sample: Sample): Generator<string> {
  const { bootTimeSeconds, bootId } = sample;
  const counts = countKinds(sample);
  const { blocked, idle, running, unexplained } = counts;
  const head = {
    format: 'kstack-sample',
    version: VERSION,
    ...placeOf(sample),
    architecture: sample.architecture ?? null,
    bootId: bootId !== undefined && 'value' in bootId ? bootId.value : null,
    bootTime: bootTimeSeconds === undefined ? null : new Date(bootTimeSeconds * 1000).toISOString(),
    ticksPerSecond: sample.ticksPerSecond ?? null,
    source: sample.source,
    threads: sample.threads,
    fields: sample.fields,
    leftOut: sample.leftOut,
    counts: { tasks: blocked + idle + running + unexplained, ...counts },
  };
  yield `${jsonText(head).slice(0, -1)},\n"stacks":[\n`;
  const indexOf = new Map<Stack, number>();
  yield* lines(function* () {
    for (const { stack, finding } of explainGroups(sample)) {
      if (stack === undefined) continue;
      const id = indexOf.size;
      indexOf.set(stack, id);
      yield jsonText({ id, signature: signatureOf(stack), frames: framesOf(stack), finding: wholeFinding(finding) });
    }
  });
  yield '],\n"tasks":[\n';
  yield* lines(function* () {
    for (const observation of sample.observations) {
      const { stack } = observation;
      const reference = 'value' in stack ? (indexOf.get(stack.value) ?? null) : null;
      const task = taskOf(observation, sample);
      task['stack'] = reference;
      yield jsonText(task);
    }
  });
  yield '],\n"holders":[\n';
  yield* lines(function* () {
    for (const observation of sample.holders) {
      const { stack } = observation;
      const frames = 'value' in stack ? framesOf(stack.value) : null;
      yield jsonText({ ...taskOf(observation, sample), frames });
    }
  });
  const { roots, cycles } = waitGraph(sample);
  yield '],\n"waits":[\n';
  yield* lines(function* () {
    for (const { tid, waits } of roots) yield jsonText({ root: tid, waits });
    for (const cycle of cycles) yield jsonText({ deadlock: true, waits: cycle });
  });
  yield '],\n"unread":[\n';
  yield* lines(function* () {
    for (const each of everythingUnread(sample)) yield jsonText(unreadEntry(each));
  });
  yield ']}\n';
}

function wholeFinding({ rule, kind, waitsFor, causes, next, source, frame }: Finding) {
  return {
    rule: rule ?? null,
    kind,
    waitsFor: escapeInvalid(waitsFor),
    causes,
    next,
    source: source ?? null,
    frame: frame === undefined ? null : escapeInvalid(frame.symbol),
  };
}

/** The elements of an array, a line each, in pieces. */
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
