#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { addSelectionOptions, selectionOf } from './commands/selection-options.ts';
import { OutputError, writeStderr, writeStdout } from './sinks/output.ts';

/** Set by the build to the version in package.json. */
declare const KSTACK_VERSION: string;

const FAILED = 1;
const WRONG_USAGE = 2;

function createProgram(): Command {
  const program: Command = new Command('kstack');
  program
    .usage('-a | -p PID[,PID...] -D -R -S -Z [-v]')
    .description('Shows the kernel stacks of the selected processes, those with the same stack together.')
    .helpOption('-h, --help', 'show this help')
    .version(`kstack ${KSTACK_VERSION}`, '--version', 'show the version')
    .option('-v, --verbose', 'say on standard error what is being done')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({
      writeOut: writeStdout,
      writeErr: writeStderr,
      outputError: (text, write) => write(text.replace(/^error: /, 'kstack: ')),
    })
    .showHelpAfterError(`usage: kstack ${program.usage()}\nTry 'kstack -h' for more.`);
  addSelectionOptions(program);
  program.action(async () => {
    const selection = selectionOf(program);
    if (selection === undefined) program.error('error: at least one of -a -p -D -R -S -Z is needed', { exitCode: WRONG_USAGE });
    const { snapshot } = await import('./commands/snapshot.ts');
    const typed = ['kstack', ...process.argv.slice(2)].join(' ');
    process.exitCode = await snapshot({ selection, verbose: program.opts()['verbose'] === true, typed });
  });
  return program;
}

async function main(): Promise<void> {
  try {
    await createProgram().parseAsync();
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** Says what went wrong, where that is left to say, and returns the exit code for it. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE;
  if (error instanceof OutputError && error.brokenPipe) return 0;
  writeStderr(`kstack: ${error instanceof Error ? error.message : String(error)}\n`);
  return FAILED;
}

void main();
