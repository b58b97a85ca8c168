import { leaveOutIdle } from '../analysis/leave-out-idle.ts';
import { countBlocked } from '../analysis/times/blocked-runs.ts';
import { whyNotProc } from '../background/proc-root.ts';
import { RecordingFile } from '../background/recording-file.ts';
import type { CommandLineLimits } from '../model/command-line.ts';
import type { HostState } from '../model/host-state.ts';
import type { Sample } from '../model/sample.ts';
import { EVERYTHING, type Selection, takesEverything } from '../model/selection.ts';
import type { Clock } from '../model/time.ts';
import { systemClock } from '../native/clock.ts';
import { keepHeapSmall } from '../native/heap.ts';
import { ownCommand } from '../native/self.ts';
import type { Scope } from '../sinks/why-sentence.ts';
import { describeMissingTasks, whyNoStacks } from '../sources/live/procfs/access.ts';
import { readLoad } from '../sources/live/procfs/files.ts';
import type { Sampler } from '../sources/live/sampler.ts';
import { openSamplerProcess } from '../sources/live/sampler-process.ts';
import type { SourceName } from '../sources/live/source-name.ts';
import { SignalledOutput } from '../terminal/eager-output.ts';
import { isTerminal, mayColour, writeStderr } from '../terminal/output.ts';
import { blockOf } from '../tui/draw.ts';
import type { Beat } from '../tui/header.ts';
import { Top } from '../tui/top.ts';
import type { TopSource } from '../tui/top-source.ts';
import { firstView } from '../tui/view.ts';
import { FAILED } from './exit-codes.ts';
import { fileSamples, orNoEnd, type Wanted } from './file-samples.ts';
import { hasFailed, noProblems, tellProblems } from './merged-samples.ts';
import { tellNone } from './nothing-found.ts';
import type { NamedFiles } from './recordings-in.ts';
import type { Window } from './time-window.ts';
import { whoCalledSudo } from './write-file.ts';

const [STDIN, STDOUT] = [0, 1];
const SIGNAL_EXIT = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
/** What both processes keep for a while of each sample. Without it, whoever starts processes could fill the memory. */
const COMMAND_LINES: CommandLineLimits = { allBytes: 1 << 20, leastBytes: 256 };
/** Of plain blocks. */
const [USUAL_COLUMNS, MOST_BEATS] = [120, 4096];

/** Without a file, of this host. */
export interface TopCommand extends NamedFiles {
  readonly window: Window;
  readonly selection: Selection | undefined;
  /** The mount point of the procfs. */
  readonly root: string;
  readonly source: SourceName;
  readonly intervalMs: number;
  /** Whether plain blocks are wanted on a terminal, too. */
  readonly batch: boolean;
  /** How many blocks; undefined for until a signal ends it, or the files do. */
  readonly count: number | undefined;
  /** The command as typed, for the advice to repeat it with sudo. */
  readonly typed: string;
}

/** Shows samples on the terminal, or as plain blocks. Returns the exit code. */
export async function top(command: TopCommand): Promise<number> {
  keepHeapSmall();
  const { names, listed, root, typed, selection } = command;
  if (names.length === 0) {
    const refusal = (await whyNotProc(root)) ?? whyNoStacks(root, typed);
    if (refusal !== undefined) {
      writeStderr(`kstack: ${refusal}\n`);
      return FAILED;
    }
    const missing = describeMissingTasks(root, selection ?? EVERYTHING);
    if (missing !== undefined) writeStderr(`kstack: ${missing}\n`);
  }
  const clock = systemClock();
  const problems = noProblems();
  const wanted: Wanted = { names, listed, window: command.window, selection, verb: 'top', isQuiet: true };
  const source = names.length === 0 ? new HostSource(command) : new FileSamples(fileSamples(wanted, problems, clock));
  const isShown = !command.batch && canDraw();
  const ended = await orNoEnd(isShown ? show(command, source, clock) : print(command, source, clock));
  tellProblems(problems);
  if (ended === undefined) return FAILED;
  if (names.length > 0 && source.isEmpty) await tellNone(wanted, problems, clock);
  return ended === 0 && (hasFailed(problems) || source.isEmpty) ? FAILED : ended;
}

/** A dumb terminal does not move its cursor. */
function canDraw(): boolean {
  return isTerminal(STDIN) && isTerminal(STDOUT) && process.env['TERM'] !== 'dumb';
}

type Source = TopSource & { readonly isEmpty: boolean };

async function show(command: TopCommand, source: Source, clock: Clock): Promise<number> {
  const view = new Top({
    source,
    intervalMs: command.intervalMs,
    clock,
    threads: threadsOf(command),
    colour: mayColour(process.env),
    scope: scopeOf(command),
    record: () => RecordingFile.create(`kstack-top-${timeName(clock)}.kstack`, whoCalledSudo(process.env)),
    readHost: () => hostState(command),
  });
  let signalled: number | undefined;
  for (const [signal, number] of Object.entries(SIGNAL_EXIT))
    process.once(signal, () => {
      signalled = number;
      view.end('interrupt');
    });
  const how = await view.run();
  const code = how === 'quit' ? 0 : (signalled ?? SIGNAL_EXIT.SIGINT);
  // The sampler's process may be stuck.
  setTimeout(() => process.exit(code), LEAVE_MS).unref();
  return code;
}

const LEAVE_MS = 1000;

/** `20261127T093001Z` */
function timeName(clock: Clock): string {
  return new Date(clock.nowMs()).toISOString().replaceAll(/[-:]|\..*(?=Z)/g, '');
}

async function print(command: TopCommand, source: Source, clock: Clock): Promise<number> {
  const { intervalMs, count = Number.POSITIVE_INFINITY } = command;
  const stop = new AbortController();
  let code = 0;
  for (const [signal, number] of Object.entries(SIGNAL_EXIT))
    process.once(signal, () => {
      code = number;
      stop.abort();
      source.close();
    });
  const beats: Beat[] = [];
  const options = firstView({ threads: threadsOf(command) });
  const output = new SignalledOutput(stop.signal);
  let dueMs = clock.monotonicMs();
  try {
    for (let taken = 0; taken < count && !stop.signal.aborted; taken++) {
      const sample = await nextOf(source, stop.signal);
      if (sample === undefined) break;
      beats.push({ timeMs: sample.timeMs, blocked: countBlocked(sample) });
      if (beats.length > MOST_BEATS) beats.shift();
      const columns = process.stdout.columns || USUAL_COLUMNS;
      const mode = source.kind === 'live' ? `every ${intervalMs / 1000} s` : 'replayed';
      const context = { zoneAt: clock.zoneAt, columns, host: hostState(command), beats, mode };
      await output.write(`${taken === 0 ? '' : '\n'}${blockOf(sample, context, options)}`);
      if (source.kind === 'files' || taken + 1 >= count) continue;
      const nowMs = clock.monotonicMs();
      dueMs = Math.max(dueMs + intervalMs, nowMs);
      await clock.sleep(dueMs - nowMs, stop.signal);
    }
    return code;
  } finally {
    source.close();
  }
}

async function nextOf(source: Source, signal: AbortSignal): Promise<Sample | undefined> {
  try {
    return await source.next();
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** A host shows all of its threads unless something was selected without -L, as in the other commands. */
function threadsOf({ names, selection }: TopCommand): boolean {
  return names.length > 0 || selection === undefined || selection.threads === true;
}

/** A file may have any tasks in it. */
function scopeOf({ names, selection }: TopCommand): Scope {
  if (selection !== undefined && !takesEverything(selection)) return 'selection';
  return names.length === 0 ? 'host' : 'sample';
}

function hostState({ names, root }: TopCommand): HostState {
  return names.length === 0 ? readLoad(root) : {};
}

/** This host, by a sampler in a process of its own: keys are answered while a sample is taken. */
class HostSource implements Source {
  readonly kind = 'live';
  readonly isEmpty = false;
  readonly #command: TopCommand;
  #threads: boolean;
  #sampler: Sampler | undefined;
  #isClosed = false;

  constructor(command: TopCommand) {
    this.#command = command;
    this.#threads = threadsOf(command);
  }

  async next(): Promise<Sample> {
    const { selection = EVERYTHING } = this.#command;
    for (;;) {
      const threads = this.#threads;
      try {
        this.#sampler ??= await this.#open();
        const sample = await this.#sampler.next();
        return selection.blocked === true ? leaveOutIdle(sample) : sample;
      } catch (error) {
        this.#release();
        // The sampler was closed to open another one.
        if (threads === this.#threads || this.#isClosed) throw error;
      }
    }
  }

  take(threads: boolean): void {
    if (threads === this.#threads) return;
    this.#threads = threads;
    this.#release();
  }

  close(): void {
    this.#isClosed = true;
    this.#release();
  }

  async #open(): Promise<Sampler> {
    const { root, source, intervalMs, selection = EVERYTHING } = this.#command;
    const sampler = await openSamplerProcess(
      root,
      {
        selection: { ...selection, threads: this.#threads },
        source,
        fields: ['uid', 'cgroup', 'systemCall'],
        facts: true,
        edges: true,
        events: true,
        commandLines: COMMAND_LINES,
        intervalMs,
        steady: true,
        ownsProcess: true,
      },
      ownCommand([]),
    );
    if (this.#isClosed) sampler.close();
    return sampler;
  }

  #release(): void {
    this.#sampler?.close();
    this.#sampler = undefined;
  }
}

class FileSamples implements Source {
  readonly kind = 'files';
  isEmpty = true;
  readonly #samples: AsyncGenerator<Sample>;

  constructor(samples: AsyncGenerator<Sample>) {
    this.#samples = samples;
  }

  async next(): Promise<Sample | undefined> {
    const next = await this.#samples.next();
    if (next.done === true) return undefined;
    this.isEmpty = false;
    return next.value;
  }

  take(): void {
    // A file has the tasks that it has. The view leaves some out.
  }

  close(): void {
    void this.#samples.return(undefined);
  }
}
