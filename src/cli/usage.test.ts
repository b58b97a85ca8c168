import { Argument, Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addForeignOption } from './foreign-option.ts';
import { inPlainWords, refuseStray } from './stray-argument.ts';

function messageOf(command: Command, words: readonly string[]): string {
  let message = '';
  command
    .exitOverride()
    .allowExcessArguments()
    .configureOutput({
      writeErr: () => undefined,
      outputError: (text) => {
        message += inPlainWords(text);
      },
    })
    .hook('preAction', () => refuseStray(command))
    .action(() => undefined);
  try {
    command.parse(words, { from: 'user' });
  } catch {
    // commander has told why.
  }
  return message;
}

describe('An argument that a command does not take', () => {
  const look = () => new Command('why').option('-p <PID>').option('-c <REGEX>').option('-o <FILE>');
  it.each([
    [look(), '4711', "unexpected argument '4711'; select a process with -p 4711"],
    [look(), 'postgres', "unexpected argument 'postgres'; select by name with -c postgres"],
    [look(), 'night.kstack', "unexpected argument 'night.kstack'; 'kstack report night.kstack' reads a file"],
    [
      new Command('record').option('-o <FILE>').option('-c <REGEX>'),
      'night.kstack',
      "unexpected argument 'night.kstack'; name the file to write with -o night.kstack",
    ],
    [new Command('stop').option('-d <DIRECTORY>'), '/var/log', "'/var/log'; name a directory with -d /var/log"],
    [new Command('plain'), 'more', "error: unexpected argument 'more'"],
  ])('is answered with what to type: %#', (command, word, told) => {
    expect(messageOf(command, [word])).toContain(told);
  });

  it('is none where files are taken, or as many as there are operands', () => {
    expect(messageOf(new Command('report').argument('<FILE...>'), ['a', 'b', 'c'])).toBe('');
    const two = () => new Command('diff').argument('<BEFORE>').argument('[AFTER]');
    expect(messageOf(two(), ['a', 'b'])).toBe('');
    expect(messageOf(two(), ['a', 'b', 'c'])).toContain("unexpected argument 'c'; 'diff' takes at most 2 arguments");
  });

  it('that is none of the choices is told in plain words', () => {
    const shell = new Command('completion').addArgument(new Argument('<bash|zsh>').choices(['bash', 'zsh']));
    expect(messageOf(shell, ['tcsh'])).toBe("error: argument 'tcsh' is invalid. Allowed choices are bash, zsh.\n");
  });
});

describe('An option of other tools', () => {
  const top = () => {
    const command = new Command('top').option('-i <SECONDS>');
    addForeignOption(command, '-b', "write plain blocks with '--batch'");
    addForeignOption(command, '-d <SECONDS>', "give the interval with '-i'");
    return command;
  };

  it('is answered with the one to give in its place', () => {
    expect(messageOf(top(), ['-b'])).toContain("unknown option '-b': write plain blocks with '--batch'");
    expect(messageOf(top(), ['-bi', '2'])).toContain("unknown option '-b'");
    expect(messageOf(top(), ['-d', '2'])).toContain("unknown option '-d': give the interval with '-i'");
    expect(messageOf(top(), ['-i', '2'])).toBe('');
  });

  it('is not in the help', () => {
    expect(top().helpInformation()).not.toMatch(/-b|-d/);
  });
});
