import type { Command } from 'commander';
import { REPORT_FD } from '../background/options.ts';
import { addBackgroundOptions, backgroundOptionsOf, describeIgnored } from '../cli/background-options.ts';
import { WRONG_USAGE } from '../cli/exit-codes.ts';
import { addForeignOption } from '../cli/foreign-option.ts';
import { addOutputOptions, misplacedIn, outputOptionsOf } from '../cli/output-options.ts';
import { addSelectionOptions, procOf, SELECTING, selectionOf, sourceOf } from '../cli/selection-options.ts';
import { typedCommand } from '../cli/typed-command.ts';
import { mostSimilar } from '../model/similar.ts';
import { writeStderr } from '../terminal/output.ts';

/**
 * The classic interface, a command without a name: one sample in the foreground, or a background run.
 * @param names those of the commands
 */
export function addClassic(program: Command, names: readonly string[]): void {
  addSelectionOptions(program);
  addOutputOptions(program);
  addBackgroundOptions(program);
  addForeignOption(program, '-A', "all processes are '-a'");
  addForeignOption(program, '-e', "all processes are '-a'");
  addForeignOption(program, '-H', "every thread is '-L'");
  program.action(() => runClassic(program, names));
}

async function runClassic(program: Command, names: readonly string[]): Promise<void> {
  const [stray, topic] = program.args;
  if (stray === 'help') {
    (program.commands.find((command) => command.name() === topic) ?? program).outputHelp();
    return;
  }
  if (stray !== undefined)
    program.error(`error: unexpected argument '${stray}'; ${adviceOn(stray, names)}`, { exitCode: WRONG_USAGE });
  const selection = await selectionOf(program);
  if (selection === undefined)
    program.error(`error: at least one of ${SELECTING} is needed\nusage: kstack ${program.usage()}`, {
      exitCode: WRONG_USAGE,
    });
  const verbose = program.opts()['verbose'] === true;
  const typed = typedCommand();
  const root = procOf(program);
  const source = sourceOf(program);
  const background = backgroundOptionsOf(program);
  const output = outputOptionsOf(program);
  const misplaced = misplacedIn(output);
  if (misplaced !== undefined) program.error(`error: ${misplaced}`, { exitCode: WRONG_USAGE });
  if (background !== undefined && (output.format !== 'text' || output.file !== undefined || output.redact))
    program.error("error: -b writes the classic text to its log; '-f', '-o' and '--redact' apply only without -b", {
      exitCode: WRONG_USAGE,
    });
  if (background === undefined) {
    const ignored = describeIgnored(program);
    if (ignored !== undefined) writeStderr(`kstack: ${ignored}\n`);
    const { snapshot } = await import('../cli/snapshot.ts');
    process.exitCode = await snapshot({ selection, root, source, output, verbose, typed });
  } else if (process.env[REPORT_FD] === undefined) {
    const { startInBackground } = await import('../background/start.ts');
    process.exitCode = await startInBackground(background, root, typed);
  } else {
    const { runCollector } = await import('../background/collector.ts');
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

function adviceOn(stray: string, names: readonly string[]): string {
  const likely = mostSimilar(stray, names);
  if (likely !== undefined) return `did you mean 'kstack ${likely}'?`;
  return /^\d/.test(stray)
    ? `select a process with -p ${stray}`
    : `the commands are ${names.join(', ')}; -c selects by name`;
}
