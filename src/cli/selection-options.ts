import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Pattern, Selection } from '../model/selection.ts';
import { STATES, type State } from '../model/task.ts';
import { NoUsers, readUsers } from '../sources/live/passwd.ts';
import { SOURCES, type SourceName } from '../sources/live/source-name.ts';
import { notEmpty } from './background-options.ts';
import { WRONG_USAGE } from './exit-codes.ts';

const STATE_OPTIONS: readonly { option: string; states: readonly State[]; help: string }[] = [
  { option: 'D', states: ['D'], help: 'processes in uninterruptible sleep (I/O, locks)' },
  { option: 'R', states: ['R'], help: 'processes that run or are ready to run' },
  { option: 'S', states: ['S'], help: 'sleeping processes' },
  { option: 'Z', states: ['Z'], help: 'zombies' },
  { option: 'I', states: ['I'], help: 'idle kernel threads' },
  { option: 'T', states: ['T', 't'], help: 'stopped or traced processes' },
];

/** The largest pid_t, and the largest user id. */
const LARGEST_PID = 2 ** 31 - 1;
const LARGEST_UID = 2 ** 32 - 2;

/** The environment variable with the default for --source. */
const SOURCE = 'KSTACK_SOURCE';

/** The options that select, for the message that none was given. */
export const SELECTING = '-a -p -D -R -S -Z -I -T --state -c -u --cgroup --function --module --blocked';

/** Adds the selection options, which are the same for all commands. */
export function addSelectionOptions(command: Command, need = 'give at least one, or a filter'): Command {
  addTaskOptions(command, need);
  command.optionsGroup('Threads and sources:');
  command.option('-L, --threads', 'every thread, not only the main thread of each process; -p also takes TIDs');
  const source = new Option(
    '--source <SOURCE>',
    'how to read tasks: bpf (a program in the kernel), procfs, or auto (bpf when available and worth its start-up cost)',
  );
  source.choices(SOURCES).default('auto');
  // An empty variable counts as unset.
  command.addOption(process.env[SOURCE] === '' ? source : source.env(SOURCE));
  const proc = new Option('--proc <DIRECTORY>', 'another /proc, such as that of the host in a container');
  command.addOption(proc.default('/proc').argParser(notEmpty));
  return command;
}

/**
 * Adds the same selection to a command that reads files, which have tasks and not processes.
 * @param all whether there is -a; a command with another --a has none
 */
export function addFileSelectionOptions(command: Command, all = true): Command {
  addTaskOptions(command, 'every task of the files if there is none', all);
  command.option('-L, --threads', 'has no effect: every recorded thread is taken, and -p also takes TIDs');
  return command;
}

function addTaskOptions(command: Command, need: string, all = true): void {
  command.optionsGroup(`Selection (${need}; they add up):`);
  if (all) command.option('-a', 'all processes; other selections are ignored');
  command.addOption(new Option('-p <PID[,PID...]>', 'these processes').argParser(parsePids));
  for (const { option, help } of STATE_OPTIONS) command.option(`-${option}`, help);
  command.addOption(
    new Option('--state <LETTERS>', `processes in one of these states (${STATES.join('')})`).argParser(parseStates),
  );
  command.optionsGroup('Filters (each narrows the selection, or all processes if there is none):');
  command.addOption(new Option('-c, --command <REGEX>', 'only those whose name matches').argParser(addText));
  command.addOption(new Option('-u, --user <NAME|UID[,...]>', 'only those of these users').argParser(parseUsers));
  command.addOption(
    new Option('--cgroup <GLOB|ID>', 'only those in this control group, unit, container or pod').argParser(addCgroup),
  );
  command.addOption(
    new Option('--function <REGEX>', 'only those with a matching function in the stack').argParser(addText),
  );
  command.addOption(
    new Option('--module <NAME>', 'only those with a function of this kernel module in the stack').argParser(
      onlyModule,
    ),
  );
  command.option('--blocked', 'leave out idle ones, which only wait for work');
}

interface ParsedOptions {
  readonly a?: unknown;
  readonly p?: readonly number[];
  readonly state?: readonly State[];
  readonly command?: readonly string[];
  readonly user?: readonly number[];
  readonly cgroup?: readonly string[];
  readonly function?: readonly string[];
  readonly module?: string;
  readonly blocked?: true;
  readonly threads?: true;
  readonly proc: string;
}

/** The selection in the parsed options; undefined if they select nothing. */
export async function selectionOf(program: Command): Promise<Selection | undefined> {
  const options: ParsedOptions = program.opts();
  const {
    a,
    p: pids = [],
    state = [],
    command,
    user: users,
    cgroup,
    function: pattern,
    module,
    blocked,
    threads,
  } = options;
  const letters: Record<string, unknown> = program.opts();
  const states = [
    ...STATE_OPTIONS.filter(({ option }) => letters[option] === true).flatMap((option) => option.states),
    ...state,
  ];
  const filters = {
    ...(command !== undefined && { command: await patternOf(program, 'command', command) }),
    ...(users && { users }),
    ...(cgroup && { cgroups: cgroup }),
    ...(pattern !== undefined && { function: await patternOf(program, 'function', pattern) }),
    ...(module !== undefined && { module }),
    ...(blocked && { blocked }),
  };
  // `kstack diff --a` is another option.
  const all = a === true;
  const nothing = !all && pids.length === 0 && states.length === 0 && Object.keys(filters).length === 0;
  if (nothing) return undefined;
  return { ...(all ? { all } : { pids, states }), ...filters, ...(threads && { threads }) };
}

/**
 * One pattern that matches what any of these does. Exits with the error of an argument parser, which cannot do this
 * itself: loading the matcher is asynchronous.
 */
async function patternOf(program: Command, name: 'command' | 'function', texts: readonly string[]): Promise<Pattern> {
  const { compilePattern, PatternError } = await import('../sources/live/selection/pattern.ts');
  for (const source of texts)
    try {
      await compilePattern({ source });
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      const flags = program.options.find((option) => option.attributeName() === name)?.flags;
      program.error(`error: option '${flags}' argument '${source}' is invalid. ${error.message}`, {
        exitCode: WRONG_USAGE,
      });
    }
  const [first = '', ...others] = texts;
  return { source: others.length === 0 ? first : texts.map((source) => `(?:${source})`).join('|') };
}

/** The absolute path given by --proc. */
export function procOf(program: Command): string {
  const { proc }: ParsedOptions = program.opts();
  return resolve(proc);
}

export function sourceOf(program: Command): SourceName {
  const { source }: { source: SourceName } = program.opts();
  return source;
}

/**
 * Adds the PIDs of one -p to those of earlier ones.
 * @throws InvalidArgumentError naming an item that is not a PID
 */
function parsePids(list: string, earlier: number[] = []): number[] {
  const pids = list.split(',').map((item) => {
    const pid = wholeNumber(item);
    if (pid !== undefined && pid >= 1 && pid <= LARGEST_PID) return pid;
    throw new InvalidArgumentError(
      `'${item}' is not a PID: give whole numbers from 1 to ${LARGEST_PID}, separated by commas.`,
    );
  });
  return [...earlier, ...pids];
}

/** Accepts blanks and a plus sign, like Python's int() in the original. */
function wholeNumber(text: string): number | undefined {
  return /^\s*\+?[0-9]+\s*$/.test(text) ? Number(text) : undefined;
}

function parseStates(letters: string, earlier: State[] = []): State[] {
  const states = [...letters].map((letter) => {
    const state = STATES.find((candidate) => candidate === letter);
    if (state === undefined)
      throw new InvalidArgumentError(`'${letter}' is not a state; the kernel has ${STATES.join(' ')}.`);
    return state;
  });
  if (states.length === 0) throw new InvalidArgumentError(`Give one or more of ${STATES.join(' ')}.`);
  return [...earlier, ...states];
}

/** As with grep -e, a task has to match one of them only. */
function addText(text: string, earlier: string[] = []): string[] {
  return [...earlier, text];
}

function onlyModule(name: string, earlier: string | undefined): string {
  if (earlier !== undefined) throw new InvalidArgumentError(`Give one module only: '${earlier}' was given, too.`);
  return notEmpty(name);
}

function addCgroup(text: string, earlier: string[] = []): string[] {
  if (text === '') throw new InvalidArgumentError('Give a path, a name, or the beginning of a container id.');
  return [...earlier, text];
}

/**
 * Adds the users of one -u to those of earlier ones.
 * @throws InvalidArgumentError naming an item that is not a user
 */
function parseUsers(list: string, earlier: number[] = []): number[] {
  const users = list.split(',').map((name) => {
    const uid = wholeNumber(name) ?? uidOf(name);
    if (uid !== undefined && uid <= LARGEST_UID) return uid;
    throw new InvalidArgumentError(`'${name}' is neither a user of /etc/passwd nor a user id.`);
  });
  return [...earlier, ...users];
}

function uidOf(name: string): number | undefined {
  try {
    return readUsers().find((user) => user.name === name)?.uid;
  } catch (error) {
    if (error instanceof NoUsers) throw new InvalidArgumentError(`'${name}' cannot be looked up: ${error.message}.`);
    throw error;
  }
}
