import { whyNotProc } from '../background/proc-root.ts';
import { type RecorderOptions, runRecorder } from '../background/recorder.ts';
import type { Unread } from '../model/sample.ts';
import type { Selection } from '../model/selection.ts';
import { systemClock } from '../native/clock.ts';
import { formatUnread } from '../sinks/unread.ts';
import { whyNoStacks } from '../sources/live/procfs/access.ts';
import { type Host, openSampler } from '../sources/live/sampler.ts';
import { neverWaitForTerminal, rewriteLine, terminalColumns, writeStderr } from '../terminal/output.ts';
import { FAILED } from './exit-codes.ts';
import { Progress } from './progress.ts';

const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143 } as const;

export interface RecordOptions extends RecorderOptions {
  /** The command as typed, for the advice to repeat it with sudo. */
  readonly typed: string;
}

/** Records samples until the time is up or a signal ends it. Returns the exit code. */
export async function record(options: RecordOptions): Promise<number> {
  const { root, typed, target, durationMs } = options;
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
  neverWaitForTerminal();
  const clock = systemClock();
  const { gone, areAll } = await missingOf(options.selection, { clock, root });
  for (const line of formatUnread(gone, false)) writeStderr(`kstack: ${line}\n`);
  if (areAll) return FAILED;
  const name = 'file' in target ? target.file : target.directory;
  const print = (text: string) => writeStderr(`kstack: ${text}\n`);
  const screen = { columns: terminalColumns, rewrite: rewriteLine, print };
  const progress = new Progress({ name, durationMs, clock, screen });
  try {
    const end = await runRecorder(options, {
      clock,
      stop: stop.signal,
      tell: (level, text) => {
        if (level !== 'DEBUG') progress.say(text);
      },
      progress: (state, bytes, sample) => progress.took(state, bytes, sample),
    });
    progress.close();
    print(progress.summary());
    if (end === 'replaced') return FAILED;
    if (ended !== undefined) return SIGNAL_EXIT[ended];
    return end === 'done' ? 0 : FAILED;
  } finally {
    progress.close();
  }
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
