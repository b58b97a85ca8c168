import type { Command } from 'commander';

/** Refuses an argument that a command does not take, and says what to type for what may have been meant. */
export function refuseStray(command: Command): void {
  const { registeredArguments: operands, args } = command;
  if (operands.some(({ variadic }) => variadic)) return;
  const stray = args[operands.length];
  if (stray !== undefined) command.error(`error: unexpected argument '${stray}'${adviceOn(stray, command)}`);
}

function adviceOn(stray: string, command: Command): string {
  const { length } = command.registeredArguments;
  if (length > 0) return `; '${command.name()}' takes at most ${length} argument${length === 1 ? '' : 's'}`;
  const has = (flag: string) => command.options.some(({ short }) => short === flag);
  if (/^\d+$/.test(stray) && has('-p')) return `; select a process with -p ${stray}`;
  if (/[./]/.test(stray) && has('-o'))
    return command.name() === 'why'
      ? `; 'kstack report ${stray}' reads a file`
      : `; name the file to write with -o ${stray}`;
  if (has('-c')) return `; select by name with -c ${stray}`;
  return has('-d') ? `; name a directory with -d ${stray}` : '';
}

/** The words of commander that are no plain English, in other words. */
export function inPlainWords(text: string): string {
  return text.replace(/command-argument value ('.*') is invalid for argument '[^']*'\. /s, 'argument $1 is invalid. ');
}
