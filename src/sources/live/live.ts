import type { Sample } from '../../model/sample.ts';
import { isOnlyPids, type Selection } from '../../model/selection.ts';
import { StackTable } from '../../model/stack.ts';
import type { Clock } from '../../model/time.ts';
import { conditions, openBpf } from './bpf/availability.ts';
import { holdersOf } from './bpf/holders.ts';
import { lookFirst } from './bpf/look-first.ts';
import { withMoreThreads } from './bpf/more-threads.ts';
import type { BpfReader } from './bpf/tasks.ts';
import { countThreads } from './procfs/files.ts';
import { type ProcfsOptions, procfs } from './procfs/index.ts';
import type { SourceName } from './source-name.ts';
import { withSource } from './with-source.ts';

export interface LiveOptions extends Omit<ProcfsOptions, 'lookFirst'> {
  readonly source: SourceName;
  /** Whether what only the kernel knows is wanted (KernelFacts). */
  readonly facts: boolean;
  /** Whether many samples will be taken. */
  readonly steady: boolean;
  /** For how long a command line that was read is believed, where samples come faster than that. */
  readonly rememberMs?: number;
  /** Hears which source is taken, and why not the other. */
  tell(text: string): void;
}

/**
 * Samples of the tasks of this host, each taken when it is asked for; what it takes to do so is made ready at once.
 * The iteration never ends by itself.
 * @throws Error where `bpf` is asked for and unavailable, and where /proc cannot be read
 */
export function live(
  selection: Selection,
  { source, facts, steady, rememberMs = steady ? 2000 : 0, tell, ...options }: LiveOptions,
): AsyncGenerator<Sample, never> {
  const { root, clock } = options;
  const useless = source === 'procfs' || (source === 'auto' && !facts && !steady && isSoonerFromProc(selection, root));
  const reader = useless ? undefined : openOnce(root, clock);
  if (source === 'bpf' && typeof reader === 'string')
    throw new Error(`--source bpf: ${reader}; --source procfs does without`);
  if (typeof reader !== 'object') {
    const why = reader === undefined ? whyUseless(source) : `bpf unavailable: ${reader}`;
    tell(`source: procfs; ${why}`);
    return withSource(procfs(selection, options), { name: 'procfs', why });
  }
  tell('source: bpf');
  const looking = {
    ...options,
    lookFirst: lookFirst(reader, { monotonicMs: clock.monotonicMs, rememberMs, facts, steady }),
  };
  const samples = facts ? withHolders(selection, reader, looking) : procfs(selection, looking);
  const counted = steady ? samples : withMoreThreads(samples, selection, reader);
  return withSource(tellMissing(counted, reader, tell), { name: 'bpf' });
}

function whyUseless(source: SourceName): string {
  return source === 'procfs' ? 'as asked for by --source or KSTACK_SOURCE' : 'faster than bpf for so few tasks';
}

/** Tells what this kernel denies or lacks, each once, when it was first missed. */
async function* tellMissing(
  samples: AsyncGenerator<Sample, never>,
  reader: BpfReader,
  tell: LiveOptions['tell'],
): AsyncGenerator<Sample, never> {
  const told = new Set<string>();
  for await (const sample of samples) {
    for (const line of reader.missing()) {
      if (!told.has(line)) tell(line);
      told.add(line);
    }
    yield sample;
  }
  throw new Error('the samples ended');
}

/** Samples with {@link holdersOf} what was selected. */
async function* withHolders(
  selection: Selection,
  reader: BpfReader,
  options: ProcfsOptions,
): AsyncGenerator<Sample, never> {
  const stacks = new StackTable();
  const samples = procfs(selection, { ...options, stacks });
  for (;;) {
    stacks.trim();
    const { value: sample } = await samples.next();
    const waits = sample.observations.some(
      ({ state, facts }) =>
        state === 'D' || state === 't' || facts?.lock !== undefined || facts?.vforkParent !== undefined,
    );
    const pids = waits ? holdersOf(sample, reader) : [];
    if (pids.length === 0) yield sample;
    else yield { ...sample, holders: (await procfs({ pids }, { ...options, stacks }).next()).value.observations };
  }
}

let opened: BpfReader | string | undefined;

/** The program is loaded once in a process. */
function openOnce(root: string, { monotonicMs }: Clock): BpfReader | string {
  opened ??= openBpf(conditions(root), monotonicMs);
  return opened;
}

/**
 * Loading the program takes about as long as reading so many tasks, or twice as many states, from /proc (npm run
 * bench).
 */
const TASKS_WORTH_LOADING = 250;

function isSoonerFromProc(selection: Selection, root: string): boolean {
  if (isOnlyPids(selection) && selection.threads !== true) return true;
  // No more than a hint.
  return countThreads(root) < TASKS_WORTH_LOADING;
}

/** One sample, now. */
export async function takeLiveSample(selection: Selection, options: LiveOptions): Promise<Sample> {
  for await (const sample of live(selection, options)) return sample;
  throw new Error('live() ended');
}
