import { whyNotProc } from '../background/proc-root.ts';
import { type RecorderOptions, type RecordingTarget, runRecorder } from '../background/recorder.ts';
import { absolutePath } from '../files/absolute-path.ts';
import { codeOf, isRegular } from '../files/files.ts';
import { InputError, inputBytes } from '../files/input-file.ts';
import { withFiles } from '../files/remote.ts';
import type { Unread } from '../model/sample.ts';
import type { Selection } from '../model/selection.ts';
import { systemClock } from '../native/clock.ts';
import { commandWith } from '../native/self.ts';
import { linesOf } from '../recording/lines.ts';
import { unpackedSegments } from '../recording/members.ts';
import { recordedSamples } from '../recording/read.ts';
import { ShipperProcess } from '../shipping/shipper-process.ts';
import { formatUnread } from '../sinks/unread.ts';
import { describeMissingTasks, whyNoStacks } from '../sources/live/procfs/access.ts';
import { type Host, openSampler } from '../sources/live/sampler.ts';
import { neverWaitForStderr } from '../terminal/eager-output.ts';
import { rewriteLine, terminalColumns, writeStderr } from '../terminal/output.ts';
import { type Shipping, shipWords } from './clickhouse-options.ts';
import { FAILED, SIGNAL_EXIT } from './exit-codes.ts';
import { LogSender } from './otlp-logs.ts';
import { ProfileSender } from './otlp-profiles.ts';
import type { OtlpTarget } from './otlp-target.ts';
import { Progress } from './progress.ts';

export interface RecordOptions extends RecorderOptions {
  /** The command as typed, for the advice to repeat it with sudo. */
  readonly typed: string;
  /** Where a directory is sent meanwhile. */
  readonly shipping: Shipping | undefined;
  /** Who is told of stuck tasks and triggers. */
  readonly otlp: OtlpTarget | undefined;
  /** Whether it is sent profiles, too. */
  readonly profiles: boolean;
}

/** Records samples until the time is up or a signal ends it. Returns the exit code. */
export async function record(options: RecordOptions): Promise<number> {
  const { root, typed, target, durationMs, shipping } = options;
  neverWaitForStderr();
  const stop = new AbortController();
  let ended: keyof typeof SIGNAL_EXIT | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      ended ??= signal;
      stop.abort();
    });
  const refusal = (await whyNotProc(root)) ?? whyNoStacks(root, typed);
  if (refusal !== undefined) {
    writeStderr(`kstack: ${refusal}\n`);
    return FAILED;
  }
  if (shipping !== undefined) {
    const { connectionOptions } = await import('./clickhouse.ts');
    // What is wrong with a file is told before anything is recorded.
    await connectionOptions(shipping.target, shipping.connection);
  }
  const missing = describeMissingTasks(root, options.selection);
  if (missing !== undefined) writeStderr(`kstack: ${missing}\n`);
  const clock = systemClock();
  const { gone, areAll } = await missingOf(options.selection, { clock, root });
  for (const line of formatUnread(gone, false)) writeStderr(`kstack: ${line}\n`);
  if (areAll) return FAILED;
  const name = 'file' in target ? target.file : target.directory;
  const print = (text: string) => writeStderr(`kstack: ${text}\n`);
  const screen = { columns: terminalColumns, rewrite: rewriteLine, print };
  const progress = new Progress({ name, durationMs, clock, screen });
  let written: Written = { samples: 0, bytes: 0, isPaused: false };
  const told = receiversOf(options, (text) => progress.say(text));
  let shipper: ShipperProcess | undefined;
  /** As soon as the directory is there, and something in it. */
  const ship = () => {
    if (shipping !== undefined && 'directory' in target)
      shipper ??= new ShipperProcess({
        ...commandWith(shipWords(target.directory, shipping)),
        tell: (text) => progress.say(text),
      });
  };
  try {
    const end = await runRecorder(options, {
      clock,
      stop: stop.signal,
      tell: (level, text) => {
        if (level !== 'DEBUG') progress.say(text);
      },
      progress: (state, bytes, sample) => {
        written = { samples: state.samples, bytes, isPaused: state.paused !== undefined };
        progress.took(state, bytes, sample);
        if (sample !== undefined) for (const each of told) each.add(sample);
        ship();
      },
    });
    await Promise.all([shipper?.end(), ...told.map((each) => each.end())]);
    progress.close();
    const found = await foundIn(target, written);
    print(progress.summary(found));
    if (end !== 'done' || (found !== undefined && found < written.samples)) return FAILED;
    return ended === undefined ? 0 : SIGNAL_EXIT[ended];
  } finally {
    await Promise.all([shipper?.end(), ...told.map((each) => each.end())]);
    progress.close();
  }
}

/** Who is told of the samples while they are recorded. */
function receiversOf({ otlp, profiles, intervalMs }: RecordOptions, tell: (text: string) => void) {
  if (otlp === undefined) return [];
  return [new LogSender(otlp, tell), ...(profiles ? [new ProfileSender(otlp, intervalMs, tell)] : [])];
}

interface Written {
  readonly samples: number;
  readonly bytes: number;
  /** The file system fails or does not answer. */
  readonly isPaused: boolean;
}

/**
 * How many samples are in what was recorded to, which somebody may have removed or truncated meanwhile. Undefined if
 * that is not known: of a directory, it is only if the directory is gone.
 */
async function foundIn(target: RecordingTarget, { samples, bytes, isPaused }: Written): Promise<number | undefined> {
  if (isPaused) return undefined;
  const path = absolutePath('file' in target ? target.file : target.directory);
  try {
    const found = await withFiles((files) => files.status(undefined, path));
    if (found === undefined) return 0;
    if (!('file' in target)) return undefined;
    if (!isRegular(found)) return 0;
    return found.size === bytes ? samples : await samplesIn(path);
  } catch (error) {
    if (error instanceof InputError || codeOf(error) !== undefined) return undefined;
    throw error;
  }
}

async function samplesIn(file: string): Promise<number> {
  const ignore = () => undefined;
  let samples = 0;
  for await (const _ of recordedSamples(linesOf(unpackedSegments(inputBytes(file), ignore)), ignore)) samples++;
  return samples;
}

/** Which of the selected PIDs do not exist, and whether that leaves nothing to record. */
async function missingOf(
  { all, pids = [], states = [], threads = false }: Selection,
  host: Host,
): Promise<{ readonly gone: readonly Unread[]; readonly areAll: boolean }> {
  if (all === true || pids.length === 0) return { gone: [], areAll: false };
  const options = { source: 'procfs', fields: [], facts: false, steady: false, ownsProcess: true } as const;
  const sampler = await openSampler(host, { ...options, selection: { pids, threads } });
  try {
    const gone = (await sampler.next()).unread.filter(({ why }) => why === 'gone');
    return { gone, areAll: states.length === 0 && gone.length === new Set(pids).size };
  } finally {
    sampler.close();
  }
}
