import { hostname } from 'node:os';
import { whyNotProc } from '../background/proc-root.ts';
import { systemClock } from '../native/clock.ts';
import { whyNoStacks } from '../sources/live/procfs/access.ts';
import { formatDuration } from '../terminal/duration.ts';
import { neverWaitForStderr, SignalledOutput } from '../terminal/eager-output.ts';
import { isTerminal, writeStderr } from '../terminal/output.ts';
import { BundleArchive } from './bundle/archive.ts';
import { type CollectOptions, collect } from './bundle/collect.ts';
import { Stopping } from './bundle/stopping.ts';
import { FAILED } from './exit-codes.ts';
import { VERSION } from './version.ts';
import { writeFile } from './write-file.ts';

const STDOUT = 1;
/** What hangs must not keep kstack from ending. */
const LEAVE_MS = 500;
const LONGEST_HOST = 40;

export interface BundleOptions extends Omit<CollectOptions, 'stop'> {
  /** `standardOutput`, the name of a file, or undefined for a file named after the host and the time. */
  readonly target: { readonly file: string } | 'standardOutput' | undefined;
  readonly maxBytes: number;
  /** The command as typed, for the advice to repeat it with sudo. */
  readonly typed: string;
}

/** Writes a bundle about this host. Returns the exit code. */
export async function bundle({ target, maxBytes, typed, ...options }: BundleOptions): Promise<number> {
  neverWaitForStderr();
  if (target === 'standardOutput' && isTerminal(STDOUT)) {
    writeStderr('kstack: a bundle is a packed archive: write it to a file with -o, or redirect the output\n');
    return FAILED;
  }
  const { root, durationMs, redact } = options;
  const refusal = (await whyNotProc(root)) ?? whyNoStacks(root, typed);
  if (refusal !== undefined) {
    writeStderr(`kstack: ${refusal}\n`);
    return FAILED;
  }
  const stopping = new Stopping();
  const madeMs = systemClock().nowMs();
  const folder = folderName(madeMs, redact);
  const name = target === undefined ? `${folder}.tar.gz` : target === 'standardOutput' ? 'bundle' : target.file;
  const archive = new BundleArchive(folder, madeMs, maxBytes);
  let bytes = 0;
  async function* pieces(): AsyncGenerator<Buffer> {
    const time = formatDuration(durationMs);
    writeStderr(
      `kstack: recording for ${time}; Ctrl-C ends it early and writes the bundle, a second Ctrl-C writes nothing\n`,
    );
    await Promise.race([collect(archive, { ...options, stop: stopping.soon }), stopping.abandoned]);
    const whole = archive.bytes({
      format: 'kstack-bundle',
      version: 1,
      kstack: VERSION,
      time: new Date(madeMs).toISOString(),
      host: redact ? null : hostname(),
      redacted: redact,
      maxBytes,
      requestedSeconds: durationMs / 1000,
      interrupted: stopping.exitCode !== undefined,
    });
    bytes = whole.length;
    yield whole;
  }
  try {
    // The file is opened before the recording begins: where it cannot be, nobody waits for nothing.
    if (target === 'standardOutput') await writeOut(pieces(), stopping);
    else await writeFile(name, pieces());
  } catch (error) {
    if (!stopping.isAbandoned) throw error;
    writeStderr('kstack: ended without a bundle\n');
    return leave(stopping.exitCode ?? FAILED);
  }
  for (const { name: file, why } of archive.leftOut) writeStderr(`kstack: ${file} is left out: ${why}\n`);
  for (const { name: file, notes } of archive.files)
    for (const note of notes) writeStderr(`kstack: ${file}: ${note}\n`);
  writeStderr(`kstack: ${name}: ${archive.files.length + 1} files, ${bytes} bytes\n`);
  return leave(stopping.exitCode ?? 0);
}

/** @throws Error if a signal came before all was taken: there is no bundle then */
async function writeOut(pieces: AsyncIterable<Uint8Array>, stopping: Stopping): Promise<void> {
  for await (const piece of pieces) {
    // It is made: nothing is left to end soon.
    const leaving = stopping.last();
    await new SignalledOutput(leaving).write(piece);
    leaving.throwIfAborted();
  }
}

/** Exits with this code, whatever still hangs. */
function leave(code: number): number {
  setTimeout(() => process.exit(code), LEAVE_MS).unref();
  return code;
}

/** `kstack-HOST-20261127T134500Z`; redacted, without the host. */
function folderName(timeMs: number, redact: boolean): string {
  const time = `${new Date(timeMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
  const host = hostname()
    .replaceAll(/[^\w.-]/g, '_')
    .slice(0, LONGEST_HOST);
  return ['kstack', ...(redact || host === '' ? [] : [host]), time].join('-');
}
