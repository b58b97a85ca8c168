import './native/no-debugger.ts';

import { Argument, Command, CommanderError } from 'commander';
import { REPORT_FD } from './background/options.ts';
import { resolveArguments } from './cli/arguments.ts';
import { addBackgroundOptions, backgroundOptionsOf, directoryOption } from './cli/background-options.ts';
import { addOutputOptions, misplacedIn, outputOptionsOf } from './cli/output-options.ts';
import { addSelectionOptions, procOf, SELECTING, selectionOf, sourceOf } from './cli/selection-options.ts';
import type { Shell } from './commands/completion.ts';
import { mostSimilar } from './model/similar.ts';
import { returnToFolder } from './native/folder.ts';
import { ownName } from './native/self.ts';
import { SAMPLER } from './sources/live/source-name.ts';
import { OutputError, writeStderr, writeStdout } from './terminal/output.ts';

/** Set by the build to the version in package.json. */
declare const KSTACK_VERSION: string;

const FAILED = 1;
const WRONG_USAGE = 2;

const USAGE = `[-b] [OPTIONS] -a | -DRSZIT | --state LETTERS | -p PIDS | FILTERS
       kstack status | stop [-d DIRECTORY]
       kstack explain [--why] [FILE]
       kstack completion bash | zsh | fish`;

function createProgram(): Command {
  const program: Command = new Command('kstack');
  program
    .usage(USAGE)
    .description('Show the kernel stacks of the selected processes. Processes that share a stack stand together.')
    .helpOption('-h, --help', 'show this help')
    .version(`kstack ${KSTACK_VERSION}`, '--version', 'show the version')
    .option('-v, --verbose', 'report progress on standard error')
    .allowExcessArguments()
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: writeStdout,
      writeErr: writeStderr,
      outputError: (text, write) => write(text.replace(/^error: /, 'kstack: ')),
    })
    .showHelpAfterError(`usage: kstack ${program.usage()}\nTry 'kstack -h' for more.`);
  addSelectionOptions(program);
  addOutputOptions(program);
  addBackgroundOptions(program);
  program.action(() => runClassic(program));
  program
    .command('status')
    .description('Show the active background run: since when, until when, and what it has written.')
    .addOption(directoryOption())
    .action(async ({ d }: { d: string }) => {
      const { status } = await import('./commands/status.ts');
      process.exitCode = await status(d);
    });
  program
    .command('stop')
    .description('Stop the active background run and wait until it has ended.')
    .addOption(directoryOption())
    .action(async ({ d }: { d: string }) => {
      const { stop } = await import('./commands/stop.ts');
      process.exitCode = await stop(d);
    });
  program
    .command('explain')
    .description('Explain what the stacks in a file, or on standard input, wait for.')
    .argument('[FILE]', 'stacks from /proc/PID/stack, kstack, the kernel log, crash or drgn (default: standard input)')
    .option('--why', 'name the rule behind each explanation, its source in the kernel, and the less specific rules')
    .action(async (file: string | undefined, { why }: { why?: true }) => {
      const { explainFile } = await import('./commands/explain.ts');
      process.exitCode = await explainFile(file, why === true);
    });
  program
    .command('completion')
    .description('Print a script that completes command lines of kstack in a shell.')
    .addArgument(new Argument('<bash|zsh|fish>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: Shell) => {
      const { printCompletion } = await import('./commands/completion.ts');
      printCompletion(program, shell);
    });
  for (const command of program.commands) {
    command.allowExcessArguments(false);
    command.showHelpAfterError(
      `usage: kstack ${command.name()} ${command.usage()}\nTry 'kstack ${command.name()} -h' for more.`,
    );
  }
  return program;
}

/** The classic interface: one sample in the foreground, or a background run. */
async function runClassic(program: Command): Promise<void> {
  const [stray] = program.args;
  if (stray !== undefined)
    program.error(`error: unexpected argument '${stray}'; ${adviceOn(stray, program)}`, { exitCode: WRONG_USAGE });
  const selection = await selectionOf(program);
  if (selection === undefined)
    program.error(`error: at least one of ${SELECTING} is needed`, { exitCode: WRONG_USAGE });
  const verbose = program.opts()['verbose'] === true;
  const typed = [ownName(), ...process.argv.slice(2).map(quote)].join(' ');
  const root = procOf(program);
  const source = sourceOf(program);
  const background = backgroundOptionsOf(program);
  const output = outputOptionsOf(program);
  const misplaced = misplacedIn(output);
  if (misplaced !== undefined) program.error(`error: ${misplaced}`, { exitCode: WRONG_USAGE });
  if (background !== undefined && (output.format !== 'text' || output.file !== undefined))
    program.error("error: -b writes the classic text to its log; '-f' and '-o' apply only without -b", {
      exitCode: WRONG_USAGE,
    });
  if (background === undefined) {
    const { snapshot } = await import('./commands/snapshot.ts');
    process.exitCode = await snapshot({ selection, root, source, output, verbose, typed });
  } else if (process.env[REPORT_FD] === undefined) {
    const { startInBackground } = await import('./background/start.ts');
    process.exitCode = await startInBackground(background, root, typed);
  } else {
    const { runCollector } = await import('./background/collector.ts');
    process.exitCode = await runCollector({
      selection,
      root,
      source,
      options: background,
      verbose,
      reportFd: Number(process.env[REPORT_FD]),
    });
  }
}

function adviceOn(stray: string, program: Command): string {
  const names = program.commands.map((command) => command.name());
  const likely = mostSimilar(stray, names);
  if (likely !== undefined) return `did you mean 'kstack ${likely}'?`;
  return /^\d/.test(stray)
    ? `select a process with -p ${stray}`
    : `the commands are ${names.join(', ')}; -c selects by name`;
}

/** Quotes a word for the shell, if necessary. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

async function main(): Promise<void> {
  try {
    await returnToFolder();
    if (process.env[SAMPLER] !== undefined) {
      const { serveSamples } = await import('./sources/live/sampler-server.ts');
      await serveSamples();
      return;
    }
    const program = createProgram();
    await program.parseAsync(resolveArguments(program, process.argv.slice(2)), { from: 'user' });
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** Reports an error, unless commander has done so already, and returns its exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE;
  if (error instanceof OutputError && error.brokenPipe) return 0;
  writeStderr(`kstack: ${error instanceof Error ? error.message : String(error)}\n`);
  return FAILED;
}

void main();
