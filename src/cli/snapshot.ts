import { RedactedStream, Redactor } from '../analysis/redact.ts';
import { whyNotProc } from '../background/proc-root.ts';
import { everythingUnread, type Sample } from '../model/sample.ts';
import { hasFilters, NO_TASK, type Selection } from '../model/selection.ts';
import { systemClock } from '../native/clock.ts';
import { loadFormat } from '../sinks/formats.ts';
import { formatUnread } from '../sinks/unread.ts';
import { whyNoStacks } from '../sources/live/procfs/access.ts';
import { openSampler } from '../sources/live/sampler.ts';
import type { SourceName } from '../sources/live/source-name.ts';
import { log } from '../terminal/log.ts';
import { mayColour, writePieces, writeStderr } from '../terminal/output.ts';
import { writeProse } from '../terminal/prose.ts';
import type { OutputOptions } from './output-options.ts';
import { isUnfitForTerminal } from './unfit-for-terminal.ts';
import { writeFile } from './write-file.ts';

export interface SnapshotOptions {
  readonly selection: Selection;
  /** The mount point of the procfs. */
  readonly root: string;
  readonly source: SourceName;
  readonly output: OutputOptions;
  readonly verbose: boolean;
  /** The command as typed, for the advice to repeat it with sudo. */
  readonly typed: string;
}

/** Writes one sample. Returns the exit code: 1 if stacks cannot be read, or if none of the given PIDs exists. */
export async function snapshot({ selection, root, source, output, verbose, typed }: SnapshotOptions): Promise<number> {
  const format = await loadFormat(output.format);
  if (isUnfitForTerminal(output.format, output.file, format)) return 1;
  const refusal = (await whyNotProc(root)) ?? whyNoStacks(root, typed);
  if (refusal !== undefined) {
    writeStderr(`kstack: ${refusal}\n`);
    return 1;
  }
  const clock = systemClock();
  const tell = (text: string) => {
    if (verbose) log(clock, 'DEBUG', text);
  };
  tell(`reading ${describeSelection(selection)} from ${root}`);
  const { fields, facts, edges = false } = format;
  const mended = (text: string) => writeStderr(`kstack: ${text}\n`);
  const options = { selection, source, fields, facts, edges, steady: false, ownsProcess: true, tell, mended };
  const sampler = await openSampler({ clock, root }, { ...options, allSystemCalls: output.full });
  try {
    const began = clock.monotonicMs();
    const taken = await sampler.next();
    const whole =
      selection.blocked === true ? (await import('../analysis/leave-out-idle.ts')).leaveOutIdle(taken) : taken;
    const sample = output.redact ? new RedactedStream(new Redactor()).next(whole) : whole;
    tell(`${describeTasks(sample)}, read in ${Math.round(clock.monotonicMs() - began)} ms`);
    const pieces = format.write([sample], {
      zoneAt: clock.zoneAt,
      colour: output.file === undefined && mayColour(process.env),
      full: output.full,
      annotate: output.annotate,
      ...(output.table !== undefined && { table: output.table }),
    });
    if (output.file !== undefined) await writeFile(output.file, pieces);
    else await (format.prose === true ? writeProse : writePieces)(pieces);
    for (const line of formatUnread(everythingUnread(sample), sample.threads)) writeStderr(`kstack: ${line}\n`);
    if (sample.observations.length === 0 && hasFilters(selection)) writeStderr(`kstack: ${NO_TASK}\n`);
    const hint = describeMoreThreads(selection, sample);
    if (hint !== undefined) writeStderr(`kstack: ${hint}\n`);
    return foundNothingAskedFor(selection, sample) ? 1 : 0;
  } finally {
    sampler.close();
  }
}

function describeTasks({ observations }: Sample): string {
  const stacks = new Set(observations.map(({ stack }) => ('value' in stack ? stack.value : undefined)));
  const tasks = observations.length;
  return `${tasks} ${tasks === 1 ? 'task' : 'tasks'} with ${stacks.size} different ${stacks.size === 1 ? 'stack' : 'stacks'}`;
}

function describeSelection({ all, pids = [], states = [], threads }: Selection): string {
  const what = threads === true ? 'threads' : 'processes';
  const parts = [];
  if (states.length > 0) parts.push(`the ${what} in state ${states.join(', ')}`);
  if (pids.length > 0) parts.push(`the ${what} ${pids.join(', ')}`);
  return all === true || parts.length === 0 ? `all ${what}` : parts.join(' and ');
}

/** Most hangs are not in main threads, so whoever selects a state is told of the other threads in it. */
function describeMoreThreads({ states = [] }: Selection, { leftOut: { threads = 0 } }: Sample): string | undefined {
  if (threads === 0) return undefined;
  return `${threads} more ${threads === 1 ? 'thread is' : 'threads are'} in ${[...new Set(states)].join(' or ')}: use -L`;
}

function foundNothingAskedFor({ all, pids = [] }: Selection, sample: Sample): boolean {
  if (all === true || pids.length === 0) return false;
  const asked = new Set(pids);
  return !sample.observations.some(({ task }) => asked.has(task.id.tid ?? 0) || asked.has(task.pid ?? 0));
}
