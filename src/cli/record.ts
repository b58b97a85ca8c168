import { whyNotProc } from '../background/proc-root.ts';
import { type RecorderOptions, runRecorder } from '../background/recorder.ts';
import { systemClock } from '../native/clock.ts';
import { whyNoStacks } from '../sources/live/procfs/access.ts';
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
