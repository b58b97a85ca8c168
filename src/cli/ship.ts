import { statSync } from 'node:fs';
import { TableRows } from '../analysis/tables/rows.ts';
import { LogDirectory } from '../background/log-directory.ts';
import { ClickHouseFailure } from '../clickhouse/failure.ts';
import { shownTarget, type Target } from '../clickhouse/target.ts';
import { withFiles } from '../files/remote.ts';
import type { Clock } from '../model/time.ts';
import { systemClock } from '../native/clock.ts';
import { DirectoryShipper } from '../shipping/directory-shipper.ts';
import { Positions } from '../shipping/positions.ts';
import { RowBatches } from '../shipping/row-batches.ts';
import { Sender, Stopped } from '../shipping/sender.ts';
import { SHIPPER } from '../shipping/shipper-process.ts';
import { neverWaitForStderr } from '../terminal/eager-output.ts';
import { writeStderr } from '../terminal/output.ts';
import { openConnection } from './clickhouse.ts';
import type { ConnectionFlags } from './clickhouse-options.ts';
import { FAILED, SIGNAL_EXIT, WRONG_USAGE } from './exit-codes.ts';
import { fileSamples } from './file-samples.ts';
import { hasFailed, noProblems, tellProblems } from './merged-samples.ts';
import { formatBytes } from './progress.ts';

export interface ShipOptions {
  readonly names: readonly string[];
  readonly target: Target;
  readonly connection: ConnectionFlags;
  /** Go on with what is recorded from now on. */
  readonly follow: boolean;
  /** Bytes per second. */
  readonly maxRate: number | undefined;
}

/** For how long a command without --follow goes on to try: with pauses of up to 16 seconds. */
const TRIES = 6;
const LOOK_MS = 2000;
/** A directory may be on a busy disk. */
const DEADLINE_MS = 30_000;
/** How long to go on sending once the recording has ended. */
const FINISH_MS = 10_000;

const say = (text: string) => writeStderr(`kstack: ${text}\n`);

/** What ends a command, and how. */
interface Ending {
  /** At once. */
  readonly stop: AbortController;
  /** As soon as everything is sent that is there. */
  readonly finish: AbortController;
  signal: keyof typeof SIGNAL_EXIT | undefined;
  /** Called when it has ended. */
  forget(): void;
}

/** Sends files, or what a directory has that was not sent, to a database. Returns the exit code. */
export async function ship(options: ShipOptions): Promise<number> {
  const { names, follow, target, maxRate, connection } = options;
  const [name = ''] = names;
  const isDirectory = names.some(isFolder);
  if (isDirectory ? names.length > 1 : follow) {
    say(isDirectory ? 'give one directory, or files' : '--follow needs a directory: files are sent once');
    return WRONG_USAGE;
  }
  neverWaitForStderr();
  const clock = systemClock();
  const ending = endings();
  const sender = new Sender({
    connect: () => openConnection(target, connection, { signal: ending.stop.signal }),
    clock,
    maxRate,
    stop: ending.stop.signal,
    hurry: ending.finish.signal,
    mostTries: () => (follow ? (ending.finish.signal.aborted ? 1 : Number.POSITIVE_INFINITY) : TRIES),
    tell: say,
  });
  const shipped: Shipped = { samples: 0, isWhole: true, isDamaged: false };
  try {
    if (isDirectory) await shipDirectory(name, options, { sender, clock, ending, shipped });
    else await shipFiles(names, { sender, clock, shipped });
  } catch (error) {
    if (error instanceof ClickHouseFailure) say(error.message);
    else if (!(error instanceof Stopped)) throw error;
    shipped.isWhole = false;
  } finally {
    await sender.close();
    ending.forget();
  }
  const rest = shipped.isWhole ? '' : '; the rest is still there';
  say(
    `sent ${countOf(shipped.samples, 'sample')} in ${countOf(sender.rows, 'row')}, ${formatBytes(sender.bytes)}, to ${shownTarget(target)}${rest}`,
  );
  if (ending.signal !== undefined) return SIGNAL_EXIT[ending.signal];
  return shipped.isWhole && !shipped.isDamaged ? 0 : FAILED;
}

interface Shipped {
  samples: number;
  /** Whether everything is sent that could be. */
  isWhole: boolean;
  isDamaged: boolean;
}

interface Shipping {
  readonly sender: Sender;
  readonly clock: Clock;
  readonly shipped: Shipped;
}

function shipDirectory(
  name: string,
  { target, follow }: ShipOptions,
  { sender, clock, shipped, ending }: Shipping & { readonly ending: Ending },
): Promise<void> {
  return withFiles(async (files) => {
    files.deadlineMs = DEADLINE_MS;
    const directory = await LogDirectory.open(files, name, false);
    const positions = await Positions.open({ directory, target: shownTarget(target), tell: say });
    const shipper = new DirectoryShipper({ directory, positions, sender, clock, tell: say });
    const finish = ending.finish.signal;
    try {
      for (let isLast = !follow; ; isLast = finish.aborted) {
        await shipper.ship(!isLast);
        if (isLast && !follow && shipper.recordings === 0) {
          say(`${name} has no recordings of 'kstack record -d': name files to send them`);
          shipped.isDamaged = true;
        }
        if (isLast) return;
        await sender.close();
        if (!finish.aborted) await clock.sleep(LOOK_MS, finish);
      }
    } finally {
      shipped.samples = shipper.samples;
      shipped.isDamaged = shipper.isDamaged;
      await positions.close();
    }
  });
}

/** All samples of files, without positions: to send them again adds nothing. */
async function shipFiles(names: readonly string[], { sender, clock, shipped }: Shipping): Promise<void> {
  const problems = noProblems();
  const [rows, batches] = [new TableRows(), new RowBatches()];
  let read = 0;
  const send = async () => {
    for await (const batch of batches.take()) await sender.send(batch);
    shipped.samples = read;
  };
  try {
    const wanted = { names, window: { from: undefined, to: undefined }, selection: undefined, verb: 'ship' };
    for await (const sample of fileSamples(wanted, problems, clock)) {
      for (const row of rows.of(sample)) batches.add(row);
      read++;
      if (batches.isFull) await send();
    }
    await send();
  } finally {
    tellProblems(problems);
    shipped.isDamaged = hasFailed(problems);
  }
}

/** A signal ends it at once; one that `record` has started sends what is there as soon as standard input ends. */
function endings(): Ending {
  const [stop, finish] = [new AbortController(), new AbortController()];
  const ending: Ending = { stop, finish, signal: undefined, forget: () => undefined };
  const isOfRecorder = process.env[SHIPPER] !== undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      // They come to the recorder, too, which first ends what it writes.
      if (isOfRecorder) return;
      // Whoever asks twice does not want to wait.
      if (ending.signal !== undefined) process.exit(SIGNAL_EXIT[signal]);
      ending.signal = signal;
      stop.abort();
      finish.abort();
    });
  if (!isOfRecorder) return ending;
  let timer: NodeJS.Timeout | undefined;
  process.stdin.resume().once('end', () => {
    finish.abort();
    timer = setTimeout(() => stop.abort(), FINISH_MS);
  });
  return {
    ...ending,
    forget: () => {
      clearTimeout(timer);
      process.stdin.destroy();
    },
  };
}

function isFolder(name: string): boolean {
  return statSync(name, { throwIfNoEntry: false })?.isDirectory() === true;
}

function countOf(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`;
}
