import { type Command, InvalidArgumentError, Option } from 'commander';
import type { DiffOptions } from '../cli/diff.ts';
import { WRONG_USAGE } from '../cli/exit-codes.ts';
import { addForeignOption } from '../cli/foreign-option.ts';
import { addOriginOptions, originOf } from '../cli/host-options.ts';
import { fileOf, fileOption, redactOption } from '../cli/output-options.ts';
import { addFileSelectionOptions, selectionOf } from '../cli/selection-options.ts';
import { ALL_TIMES, type Window } from '../cli/time-window.ts';
import { pageOption, parseTime, topOption } from '../cli/window-options.ts';

/** Registers `kstack diff`. */
export function addDiff(program: Command): void {
  const command = program
    .command('diff')
    .description('Compare what tasks were blocked on in two recordings, or at two times of one.')
    .argument('<BEFORE>', 'a recording, a directory of them, a log, or clickhouse://HOST/DATABASE')
    .argument('[AFTER]', 'another one; else --a and --b compare two times of BEFORE')
    .addOption(
      new Option('--a <FROM/TO>', 'only this time of BEFORE, as with report --from and --to: 03:00/03:10').argParser(
        parseWindow,
      ),
    )
    .addOption(new Option('--b <FROM/TO>', 'only this time of AFTER').argParser(parseWindow))
    .addOption(topOption(5))
    .addOption(pageOption())
    .addOption(fileOption())
    .addOption(redactOption());
  for (const name of ['--from', '--to']) addForeignOption(command, `${name} <TIME>`, SIDES);
  addOriginOptions(command);
  addFileSelectionOptions(command, false);
  command.action(async (before: string, after: string | undefined, options: Options) => {
    const { a, b } = options;
    if (after === undefined && (a === undefined || b === undefined))
      command.error("error: give a second file, or '--a' and '--b' for two times of the first", {
        exitCode: WRONG_USAGE,
      });
    if (options.redact === true && options.format !== 'html')
      command.error("error: '--redact' needs '-f html'", { exitCode: WRONG_USAGE });
    const origin = originOf(command, [before, ...(after === undefined ? [] : [after])]);
    const selection = await selectionOf(command);
    const { diffFiles } = await import('../cli/diff.ts');
    const sides = [
      { file: before, window: a ?? ALL_TIMES, origin },
      { file: after ?? before, window: b ?? ALL_TIMES, origin },
    ] as const;
    process.exitCode = await diffFiles(sides, selection, {
      format: options.format,
      top: options.top,
      file: fileOf(options.output),
      redact: options.redact === true,
    });
  });
}

const SIDES = "give a time for each side: '--a FROM/TO' of BEFORE, '--b FROM/TO' of AFTER";

interface Options extends Pick<DiffOptions, 'format' | 'top'> {
  readonly output?: string;
  readonly redact?: true;
  readonly a?: Window;
  readonly b?: Window;
}

function parseWindow(text: string): Window {
  const [from = '', to, ...more] = text.split('/');
  if (to === undefined || more.length > 0 || text === '/')
    throw new InvalidArgumentError('Give the beginning or the end or both, with a slash: 03:00/03:10, 03:00/, /03:10.');
  return {
    from: from === '' ? undefined : parseTime(from),
    to: to === '' ? undefined : parseTime(to),
  };
}
