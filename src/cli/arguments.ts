import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import type { Command, Option } from 'commander';
import { decodeBytes } from '../native/decode.ts';
import { escapeUnsafe } from '../terminal/escape.ts';

/** Abbreviations of the original's long options keep their meaning, even if a newer option makes them ambiguous. */
const CLASSIC = ['--verbose', '--help'];

/** Options that do not concern a sample, and so may precede any command. */
const HARMLESS = ['-v', '--verbose'];

/**
 * Prepares the words of a command line for the parser: expands abbreviated long options, which getopt_long(3) and
 * Python's argparse allow, and turns `-p=1` into `-p1`. Exits with the program's error if an abbreviation is ambiguous,
 * or if an option of a sample precedes a command.
 */
export function resolveArguments(program: Command, words: readonly string[]): string[] {
  refuseBytes(program, words);
  let command = program;
  let options = optionsOf(program);
  const before: string[] = [];
  const resolved: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--') return [...resolved, ...words.slice(at)];
    if (!word.startsWith('-') || word === '-') {
      const named = command === program ? program.commands.find((candidate) => candidate.name() === word) : undefined;
      resolved.push(word);
      if (named === undefined) continue;
      refuseBefore(program, named, before);
      command = named;
      options = optionsOf(named);
      continue;
    }
    const { text, flag, wantsValue } = word.startsWith('--')
      ? resolveLong(command, options, word)
      : resolveShort(options, word);
    resolved.push(text);
    if (command === program) before.push(flag);
    const value = words[at + 1];
    if (!wantsValue || value === undefined) continue;
    resolved.push(value);
    at++;
  }
  return resolved;
}

interface Resolved {
  readonly text: string;
  /** The option that it contains, for messages. */
  readonly flag: string;
  /** Whether the next word is its value. */
  readonly wantsValue: boolean;
}

function optionsOf(command: Command): readonly Option[] {
  return command.createHelp().visibleOptions(command);
}

function resolveLong(command: Command, options: readonly Option[], word: string): Resolved {
  const [typed = ''] = word.split('=', 1);
  const value = word.slice(typed.length);
  // An option that only says what to give in its place.
  const hidden = command.options.find((each) => each.hidden && each.long === typed);
  if (hidden !== undefined) return { text: word, flag: typed, wantsValue: hidden.required && value === '' };
  const matching = options.flatMap(({ long }) => (long?.startsWith(typed) === true ? [long] : []));
  const flag =
    matching.find((long) => long === typed) ?? matching.find((long) => CLASSIC.includes(long)) ?? matching[0] ?? typed;
  if (matching.length > 1 && flag !== typed && !CLASSIC.includes(flag))
    command.error(`error: option '${typed}' is ambiguous: it may be ${matching.join(', ')}`);
  const option = options.find(({ long }) => long === flag);
  return { text: flag + value, flag, wantsValue: option?.required === true && value === '' };
}

/** Resolves a cluster. The first option that takes a value takes the rest of the word. */
function resolveShort(options: readonly Option[], word: string): Resolved {
  for (let at = 1; at < word.length; at++) {
    const flag = `-${word.charAt(at)}`;
    const option = options.find(({ short }) => short === flag);
    if (option?.required !== true) continue;
    const value = word.slice(at + 1);
    return { text: word.slice(0, at + 1) + value.replace(/^=(?=.)/s, ''), flag, wantsValue: value === '' };
  }
  return { text: word, flag: word.slice(0, 2), wantsValue: false };
}

/** Rejects sample options before a command, which would be ignored silently: `-a status`, `-d DIRECTORY status`. */
function refuseBefore(program: Command, command: Command, before: readonly string[]): void {
  const flag = before.find((candidate) => !HARMLESS.includes(candidate));
  if (flag === undefined) return;
  const own = optionsOf(command).find(({ short, long }) => short === flag || long === flag);
  if (own === undefined) program.error(`error: '${flag}' cannot be used with the command '${command.name()}'`);
  program.error(
    `error: '${flag}' belongs after the command: kstack ${command.name()} ${own.flags.replaceAll(/[<>]/g, '')}`,
  );
}

/** The runtime replaces bytes that are not UTF-8 with U+FFFD, which would name another file, user or expression. */
function refuseBytes(program: Command, words: readonly string[]): void {
  if (words.length === 0 || !words.some((word) => word.includes('\ufffd'))) return;
  const typed = ownArguments().slice(-words.length);
  const wrong = typed.find((bytes) => !isUtf8(bytes));
  if (wrong !== undefined) program.error(`error: argument '${escapeUnsafe(decodeBytes(wrong))}' is not UTF-8`);
}

/** The raw arguments of this process (proc_pid_cmdline(5)); none if they cannot be read. */
function ownArguments(): Buffer[] {
  let rest: Buffer;
  try {
    rest = readFileSync('/proc/self/cmdline');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return [];
    throw error;
  }
  const parts: Buffer[] = [];
  for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
    parts.push(rest.subarray(0, end));
    rest = rest.subarray(end + 1);
  }
  return parts;
}
