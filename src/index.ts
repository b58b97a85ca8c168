import { fileURLToPath } from 'node:url';
import { leaveOutIdle } from './analysis/leave-out-idle.ts';
import { checkSampleOptions, checkSelection, type SampleOptions } from './model/check-selection.ts';
import type { Sample } from './model/sample.ts';
import type { Pattern, Selection } from './model/selection.ts';
import { systemClock } from './native/clock.ts';
import type { Piece, Samples, WriteContext } from './sinks/format.ts';
import { FORMAT_NAMES, type FormatName, loadFormat } from './sinks/formats.ts';
import { openSampler as openHostSampler, type Sampler } from './sources/live/sampler.ts';
import { openSamplerProcess } from './sources/live/sampler-process.ts';

export { explain } from './analysis/explain/explain.ts';
export { countKinds, explainGroups, explainObservation, kindOf } from './analysis/explain/explain-sample.ts';
export { type Fold, Folds } from './analysis/fold.ts';
export { groupByStack } from './analysis/group.ts';
export { waitGraph } from './analysis/holders/wait-graph.ts';
export { leaveOutIdle } from './analysis/leave-out-idle.ts';
export { signatureOf } from './analysis/signature.ts';
export type { SampleOptions } from './model/check-selection.ts';
export { commandLineText } from './model/command-line.ts';
export { type Container, containerOf } from './model/container.ts';
export type {
  Cycle,
  Edge,
  EdgeKind,
  Evidence,
  NodeKey,
  Resource,
  ResourceKind,
  Root,
  WaitGraph,
} from './model/edge.ts';
export type { Event, EventKind } from './model/event.ts';
export type { Field } from './model/fields.ts';
export type { ExplainedGroup, Finding, Kind, KindCounts } from './model/finding.ts';
export type { Pressure, PressureName, Stall } from './model/pressure.ts';
export type { Reading, Unreadable } from './model/reading.ts';
export {
  everythingUnread,
  type Group,
  type LeftOut,
  type Observation,
  type Sample,
  type Source,
  startTimeSeconds,
  type Unread,
} from './model/sample.ts';
export type { Pattern, Selection } from './model/selection.ts';
export { type Frame, parseFrame, parseFrames, printFrames, type Stack } from './model/stack.ts';
export type { SystemCall, SystemCallState } from './model/system-call.ts';
export { STATES, type State, type Task, type TaskId, taskKey } from './model/task.ts';
export type { Piece, Samples } from './sinks/format.ts';
export { FORMAT_NAMES, type FormatName } from './sinks/formats.ts';
export type { Sampler } from './sources/live/sampler.ts';

/**
 * Opens a sampler for repeated samples of this host: call `next()` or use `for await`, then `close()`. By default this
 * process takes the samples, which can block its event loop for tens of milliseconds if there are thousands of tasks.
 * With `apart`, another process takes them, and this one only receives them piece by piece.
 * @throws TypeError naming what is unknown or wrong in the selection or the options
 * @throws Error if the source is unavailable, an expression is invalid, or the reader cannot be started
 */
export function openSampler(selection: Selection, options: SamplerOptions = {}): Promise<Sampler> {
  return open(selection, options, true);
}

export interface SamplerOptions extends SampleOptions {
  readonly apart?: boolean;
}

async function open(
  selection: Selection,
  { apart = false, ...options }: SamplerOptions,
  steady: boolean,
): Promise<Sampler> {
  checkSelection(selection);
  checkSampleOptions(options);
  const { fields = [], source = 'auto', facts = false, edges = false, root = '/proc' } = options;
  const wanted = { selection: plainOf(selection), fields, source, facts, edges, steady };
  const sampler = apart
    ? await openSamplerProcess(root, wanted, { file: process.execPath, args: [fileURLToPath(COMMAND)] })
    : await openHostSampler({ clock: systemClock(), root }, wanted);
  return selection.blocked === true ? withoutIdle(sampler) : sampler;
}

/** The command is installed beside the library. */
const COMMAND = new URL('./kstack.cjs', import.meta.url);

/** JSON turns a RegExp into `{}`, because its source and flags are accessors of the prototype. */
function plainOf({ command, function: pattern, ...rest }: Selection): Selection {
  const plain = ({ source, flags = '' }: Pattern) => ({ source, flags });
  return { ...rest, ...(command && { command: plain(command) }), ...(pattern && { function: plain(pattern) }) };
}

function withoutIdle(sampler: Sampler): Sampler {
  const next = async () => leaveOutIdle(await sampler.next());
  return {
    next,
    close: () => sampler.close(),
    async *[Symbol.asyncIterator]() {
      for (;;) yield await next();
    },
  };
}

/**
 * Takes one sample of the selected processes of this host. Another process takes it, so that this one's event loop is
 * not blocked.
 *
 * A read that hangs is abandoned after about a second; the sample says so in its place (`unread: 'timeout'`).
 * @throws like {@link openSampler}; Error if the list of processes or the boot time cannot be read
 */
export async function sample(selection: Selection, options: SampleOptions = {}): Promise<Sample> {
  const sampler = await open(selection, { ...options, apart: true }, false);
  try {
    return await sampler.next();
  } finally {
    sampler.close();
  }
}

/**
 * Writes samples in one of the command's formats, piece by piece.
 * @throws TypeError if the format is unknown
 */
export async function* write(samples: Samples, name: FormatName, options: WriteOptions = {}): AsyncGenerator<Piece> {
  if (!FORMAT_NAMES.includes(name)) throw new TypeError(`format: ${name} is not one of ${FORMAT_NAMES.join(' ')}`);
  const format = await loadFormat(name);
  const { colour = false, full = false, annotate = false, table } = options;
  const context = { zoneAt: systemClock().zoneAt, colour, full, annotate };
  yield* format.write(samples, { ...context, ...(table !== undefined && { table }) });
}

/** The command's output options: colour on or off, `--full`, `--annotate`, `--table`. */
export type WriteOptions = Partial<Omit<WriteContext, 'zoneAt'>>;
