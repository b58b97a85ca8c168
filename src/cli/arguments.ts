import { isUtf8 } from 'node:buffer';
import type { Command, Option } from 'commander';
import { decodeBytes } from '../native/decode.ts';
import { ownArguments } from '../native/self.ts';
import { escapeUnsafe } from '../terminal/escape.ts';
import { commandLine } from './typed-command.ts';

/** Abbreviations of the original's long options keep their meaning, even if a newer option makes them ambiguous. */
const CLASSIC = ['--verbose', '--help'];

/** Options that do not concern a sample, and so may precede any command, or follow it. */
export const HARMLESS: readonly string[] = ['-v', '--verbose'];

const HELP: readonly string[] = ['-h', '--help'];

/**
 * Prepares the words of a command line for the parser: expands abbreviated long options, which getopt_long(3) and
 * Python's argparse allow, turns `-p=1` into `-p1`, and `-h why` into `why -h`. Exits with the program's error if an
 * abbreviation is ambiguous, or if an option of a sample precedes a command.
 */
export function resolveArguments(program: Command, words: readonly string[]): string[] {
  refuseBytes(program, words);
  let command = program;
  let options = optionsOf(program);
  const before: Before[] = [];
  const resolved: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--') return [...resolved, ...words.slice(at)];
    if (!word.startsWith('-') || word === '-') {
      const named = command === program ? program.commands.find((candidate) => candidate.name() === word) : undefined;
      resolved.push(word);
      if (named === undefined) continue;
      if (before.some(({ flags }) => flags.some((flag) => HELP.includes(flag)))) return [named.name(), '--help'];
      refuseBefore(program, named, before, words.slice(at + 1));
      command = named;
      options = optionsOf(named);
      continue;
    }
    // It concerns every command, and stands before it or behind it.
    if (command !== program && HARMLESS.includes(word)) {
      resolved.unshift(word);
      continue;
    }
    const { text, flags, wantsValue } = word.startsWith('--')
      ? resolveLong(command, options, word)
      : resolveShort(options, word);
    const value = wantsValue ? words[at + 1] : undefined;
    const taken = value === undefined ? [text] : [text, value];
    for (const each of taken) resolved.push(each);
    if (command === program) before.push({ flags, words: taken });
    if (value !== undefined) at++;
  }
  return resolved;
}

interface Resolved {
  readonly text: string;
  /** The options that it contains. */
  readonly flags: readonly string[];
  /** Whether the next word is the value of the last of them. */
  readonly wantsValue: boolean;
}

/** Options before a command, in one word and the value behind it. */
interface Before {
  readonly flags: readonly string[];
  readonly words: readonly string[];
}

function optionsOf(command: Command): readonly Option[] {
  return command.createHelp().visibleOptions(command);
}

function resolveLong(command: Command, options: readonly Option[], word: string): Resolved {
  const [typed = ''] = word.split('=', 1);
  const value = word.slice(typed.length);
  // An option that only says what to give in its place.
  const hidden = command.options.find((each) => each.hidden && each.long === typed);
  if (hidden !== undefined) return { text: word, flags: [typed], wantsValue: hidden.required && value === '' };
  const matching = options.flatMap(({ long }) => (long?.startsWith(typed) === true ? [long] : []));
  const flag =
    matching.find((long) => long === typed) ?? matching.find((long) => CLASSIC.includes(long)) ?? matching[0] ?? typed;
  if (matching.length > 1 && flag !== typed && !CLASSIC.includes(flag))
    command.error(`error: option '${typed}' is ambiguous: it may be ${matching.join(', ')}`);
  const option = options.find(({ long }) => long === flag);
  return { text: flag + value, flags: [flag], wantsValue: option?.required === true && value === '' };
}

/** Resolves a cluster. The first option that takes a value takes the rest of the word. */
function resolveShort(options: readonly Option[], word: string): Resolved {
  const flags: string[] = [];
  for (let at = 1; at < word.length; at++) {
    const flag = `-${word.charAt(at)}`;
    flags.push(flag);
    const option = options.find(({ short }) => short === flag);
    if (option?.required !== true) continue;
    const value = word.slice(at + 1);
    return { text: word.slice(0, at + 1) + value.replace(/^=(?=.)/s, ''), flags, wantsValue: value === '' };
  }
  return { text: word, flags, wantsValue: false };
}

/**
 * Rejects sample options before a command, which would be ignored silently: `-a status`, `-d DIRECTORY status`. Those
 * that the program does not know are left to the parser.
 * @param after the words behind the command
 */
function refuseBefore(program: Command, command: Command, before: readonly Before[], after: readonly string[]): void {
  const flags = before.flatMap((each) => each.flags).filter((flag) => !HARMLESS.includes(flag) && has(program, flag));
  const [first] = flags;
  if (first === undefined) return;
  const foreign = flags.find((flag) => !has(command, flag));
  if (foreign !== undefined) program.error(`error: '${foreign}' cannot be used with the command '${command.name()}'`);
  const isVerbose = before.some((each) => each.flags.some((flag) => HARMLESS.includes(flag)));
  const moved = before.flatMap((each) => withoutHarmless(each));
  const right = commandLine([...(isVerbose ? ['-v'] : []), command.name(), ...moved, ...after]);
  program.error(`error: '${first}' belongs after the command: ${right}`);
}

function has(command: Command, flag: string): boolean {
  return optionsOf(command).some(({ short, long }) => short === flag || long === flag);
}

function withoutHarmless({ flags, words }: Before): readonly string[] {
  const [first = '', ...value] = words;
  if (flags.every((flag) => HARMLESS.includes(flag))) return [];
  // In a cluster, the flags stand before the value.
  return flags.includes('-v') ? [first.replace('v', ''), ...value] : words;
}

/** The runtime replaces bytes that are not UTF-8 with U+FFFD, which would name another file, user or expression. */
function refuseBytes(program: Command, words: readonly string[]): void {
  if (words.length === 0 || !words.some((word) => word.includes('\ufffd'))) return;
  const typed = ownArguments().slice(-words.length);
  const wrong = typed.find((bytes) => !isUtf8(bytes));
  if (wrong !== undefined) program.error(`error: argument '${escapeUnsafe(decodeBytes(wrong))}' is not UTF-8`);
}
