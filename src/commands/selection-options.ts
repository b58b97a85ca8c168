import { type Command, InvalidArgumentError, Option } from 'commander';
import type { State } from '../model/sample.ts';
import type { Selection } from '../model/selection.ts';

const STATE_OPTIONS: readonly { letter: State; help: string }[] = [
  { letter: 'D', help: 'processes in uninterruptible sleep: they wait for I/O or a lock' },
  { letter: 'R', help: 'processes that run or are ready to' },
  { letter: 'S', help: 'sleeping processes' },
  { letter: 'Z', help: 'zombies' },
];

/** Gives a command the selection options, which are the same for all commands. */
export function addSelectionOptions(command: Command): Command {
  command.optionsGroup('Selection (they add up; at least one is needed):');
  command.option('-a', 'all processes; the other selections then say nothing');
  command.addOption(new Option('-p <PID[,PID...]>', 'these processes').argParser(parsePids));
  for (const { letter, help } of STATE_OPTIONS) command.option(`-${letter}`, help);
  return command;
}

/** The selection that the parsed options ask for; undefined when they ask for none. */
export function selectionOf(command: Command): Selection | undefined {
  const options: Record<string, unknown> = command.opts();
  const pids = Array.isArray(options['p']) ? options['p'].map(Number) : [];
  const states = STATE_OPTIONS.map(({ letter }) => letter).filter((letter) => options[letter] === true);
  if (options['a'] === true) return { all: true };
  return pids.length > 0 || states.length > 0 ? { pids, states } : undefined;
}

/** The largest pid_t. */
const LARGEST_PID = 2 ** 31 - 1;

/** Adds the PIDs of one -p to those of the earlier ones. @throws InvalidArgumentError naming what is no PID. */
function parsePids(list: string, earlier: number[] = []): number[] {
  const pids = list.split(',').map((item) => {
    const pid = /^\s*[0-9]+\s*$/.test(item) ? Number(item) : 0;
    if (pid >= 1 && pid <= LARGEST_PID) return pid;
    throw new InvalidArgumentError(`'${item}' is not a PID: give whole numbers from 1 to ${LARGEST_PID}, separated by commas.`);
  });
  return [...earlier, ...pids];
}
