import type { Argument, Command, Option } from 'commander';
import { STATES } from '../model/task.ts';
import { writeStdout } from '../terminal/output.ts';
import { HARMLESS } from './arguments.ts';
import { formatBashCompletion } from './completion/bash.ts';
import type {
  CommandDescription,
  OperandDescription,
  OptionDescription,
  ProgramDescription,
  Value,
} from './completion/description.ts';
import { formatFishCompletion } from './completion/fish.ts';
import { formatZshCompletion } from './completion/zsh.ts';

const FORMATS = { bash: formatBashCompletion, zsh: formatZshCompletion, fish: formatFishCompletion };

export type Shell = keyof typeof FORMATS;

/** The kind of a value by its name in the help. All others are text, which a shell cannot complete. */
const KINDS: Readonly<Record<string, Exclude<Value['kind'], 'choice' | 'letters'>>> = {
  FILE: 'file',
  DIRECTORY: 'directory',
  PID: 'pids',
  'NAME|UID': 'users',
};

/** Prints a program's completion script for a shell. */
export function printCompletion(program: Command, shell: Shell): void {
  writeStdout(FORMATS[shell](describeProgram(program)));
}

function describeProgram(program: Command): ProgramDescription {
  const commands = program.createHelp().visibleCommands(program).map(describeCommand);
  const names = { name: '', executables: ['kstack', 'oled-kstack'], beforeCommand: HARMLESS };
  return { ...describeCommand(program), ...names, commands };
}

function describeCommand(command: Command): CommandDescription {
  return {
    name: command.name(),
    description: command.description(),
    options: command.createHelp().visibleOptions(command).map(describeOption),
    operands: command.registeredArguments.map(describeArgument),
  };
}

function describeOption({ flags, short, long, description, argChoices }: Option): OptionDescription {
  // '-p <PID[,PID...]>'
  const [, name] = /[<[](.+)[>\]]$/.exec(flags) ?? [];
  const named = [short, long].filter((flag) => flag !== undefined);
  return { flags: named, description, ...(name !== undefined && { value: describeValue(name, argChoices) }) };
}

function describeArgument(argument: Argument): OperandDescription {
  return { value: describeValue(argument.name(), argument.argChoices), repeats: argument.variadic };
}

function describeValue(name: string, choices: readonly string[] | undefined): Value {
  if (choices !== undefined) return { name, kind: 'choice', words: choices };
  if (name === 'LETTERS') return { name, kind: 'letters', letters: STATES.join('') };
  const [first = ''] = /^[A-Z]+(?:\|[A-Z]+)?/.exec(name) ?? [];
  return { name, kind: KINDS[first] ?? 'text' };
}
