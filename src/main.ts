import './native/no-debugger.ts';

import { Command, CommanderError } from 'commander';
import { resolveArguments } from './cli/arguments.ts';
import { FAILED, WRONG_USAGE } from './cli/exit-codes.ts';
import { helpForNarrow } from './cli/help-width.ts';
import { inPlainWords, refuseStray } from './cli/stray-argument.ts';
import { VERSION } from './cli/version.ts';
import { addBundle } from './commands/bundle.ts';
import { addClassic } from './commands/classic.ts';
import { addCompletion } from './commands/completion.ts';
import { addConvert } from './commands/convert.ts';
import { addDiff } from './commands/diff.ts';
import { addExplain } from './commands/explain.ts';
import { addMetrics } from './commands/metrics.ts';
import { addRecord } from './commands/record.ts';
import { addReport } from './commands/report.ts';
import { addSchema } from './commands/schema.ts';
import { addServe } from './commands/serve.ts';
import { addShip } from './commands/ship.ts';
import { addSql } from './commands/sql.ts';
import { addStatus } from './commands/status.ts';
import { addStop } from './commands/stop.ts';
import { addTop } from './commands/top.ts';
import { addWhy } from './commands/why.ts';
import { codeOf } from './files/files.ts';
import { returnToFolder } from './native/folder.ts';
import { reasonOf } from './native/reason.ts';
import { SAMPLER } from './sources/live/source-name.ts';
import { escapeUnsafe } from './terminal/escape.ts';
import { OutputError, outputColumns, terminalColumns, writeStderr, writeStdout } from './terminal/output.ts';

/** Each adds the command of its name, in the order of the help. Its implementation is loaded when it is called. */
const COMMANDS = {
  why: addWhy,
  top: addTop,
  status: addStatus,
  stop: addStop,
  record: addRecord,
  bundle: addBundle,
  report: addReport,
  diff: addDiff,
  convert: addConvert,
  serve: addServe,
  explain: addExplain,
  sql: addSql,
  metrics: addMetrics,
  schema: addSchema,
  ship: addShip,
  completion: addCompletion,
};

const USAGE = `[-b] [OPTIONS] -a | -DRSZIT | --state LETTERS | -p PIDS | FILTERS
       kstack why [OPTIONS]
       kstack top [FILE...] [OPTIONS]
       kstack status | stop [-d DIRECTORY]
       kstack record -o FILE | -d DIRECTORY [-i SECONDS] [--for DURATION]
       kstack bundle [-o FILE] [--for DURATION] [--redact]
       kstack report | convert FILE...
       kstack diff BEFORE [AFTER]
       kstack serve [FILE...] [OPTIONS]
       kstack explain [--why] [FILE...]
       kstack sql FILE... STATEMENT
       kstack metrics [--openmetrics] [-o FILE]
       kstack schema clickhouse [--server VERSION] [--keep DAYS]
       kstack ship DIRECTORY | FILE... --to URL [--follow]
       kstack completion bash | zsh | fish`;

/**
 * Words that ask for more than the commands they name: the help lists all commands, completion knows their options, and
 * commander takes `-1` for an argument of a program without commands.
 */
const ASKS_FOR_ALL = /^(?:-[^-]*h.*|-\d.*|--h.*|help|completion)$/;

/** The commands that these words may be about: to make a command takes longer than to parse the words. */
function commandsIn(words: readonly string[]): ((program: Command) => void)[] {
  const isAll = words.some((word) => ASKS_FOR_ALL.test(word));
  return Object.entries(COMMANDS).flatMap(([name, add]) => (isAll || words.includes(name) ? [add] : []));
}

function createProgram(words: readonly string[]): Command {
  const program: Command = new Command('kstack');
  program
    .usage(USAGE)
    .description('Show the kernel stacks of the selected processes. Processes that share a stack stand together.')
    .helpOption('-h, --help', 'show this help')
    .version(`kstack ${VERSION}`, '--version', 'show the version')
    .option('-v, --verbose', 'report progress on standard error')
    .allowExcessArguments()
    .enablePositionalOptions()
    .exitOverride()
    .configureHelp(helpForNarrow)
    .configureOutput({
      writeOut: writeStdout,
      writeErr: writeStderr,
      // Commander would load streams to ask them.
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      getOutHelpWidth: () => outputColumns() ?? 80,
      getErrHelpWidth: () => terminalColumns() ?? 80,
      outputError: (text, write) => write(inPlainWords(text).replace(/^error: /, 'kstack: ')),
    })
    .showHelpAfterError("Try 'kstack -h' for more.");
  addClassic(program, Object.keys(COMMANDS));
  for (const add of commandsIn(words)) add(program);
  for (const command of program.commands) {
    command.allowExcessArguments();
    command.hook('preAction', () => refuseStray(command));
    command.showHelpAfterError(
      `usage: kstack ${command.name()} ${command.usage()}\nTry 'kstack ${command.name()} -h' for more.`,
    );
  }
  return program;
}

async function main(): Promise<void> {
  try {
    await returnToFolder();
    if (process.env[SAMPLER] !== undefined) {
      const { serveSamples } = await import('./sources/live/sampler-server.ts');
      await serveSamples();
      return;
    }
    const words = process.argv.slice(2);
    const program = createProgram(words);
    await program.parseAsync(resolveArguments(program, words), { from: 'user' });
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** Reports an error, unless commander has done so already, and returns its exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE;
  if (error instanceof OutputError && error.brokenPipe) return 0;
  // It may name a file, whose name may have several lines.
  const advice = codeOf(error) === 'EMFILE' ? '; raise ulimit -n' : '';
  writeStderr(`kstack: ${escapeUnsafe(reasonOf(error))}${advice}\n`);
  return FAILED;
}

void main();
