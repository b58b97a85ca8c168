import type { Command } from 'commander';
import { WRONG_USAGE } from '../cli/exit-codes.ts';
import { addOriginOptions, originOf } from '../cli/host-options.ts';
import { fileOf, fileOption, redactOption } from '../cli/output-options.ts';
import { recordingsIn } from '../cli/recordings-in.ts';
import type { ReportOptions } from '../cli/report.ts';
import { addFileSelectionOptions, selectionOf } from '../cli/selection-options.ts';
import { addWindowOptions, pageOption, topOption, windowOf } from '../cli/window-options.ts';

const FILES =
  'recordings or directories of them, logs of kstack -b, kernel logs, dumps; - for standard input; ' +
  'clickhouse://HOST/DATABASE';

/** Registers `kstack report`. */
export function addReport(program: Command): void {
  const command = program
    .command('report')
    .description('Report what tasks were blocked on in recordings and logs, for how long, and who held them up.')
    .argument('<FILE...>', FILES);
  addWindowOptions(command)
    .addOption(topOption(4))
    .addOption(pageOption())
    .addOption(fileOption())
    .addOption(redactOption());
  addOriginOptions(command);
  addFileSelectionOptions(command);
  command.action(async (given: string[], options: Omit<ReportOptions, 'file'> & { output?: string; redact?: true }) => {
    const { redact = false } = options;
    if (redact && options.format !== 'html')
      command.error("error: '--redact' needs '-f html'", { exitCode: WRONG_USAGE });
    const files = recordingsIn(given);
    const origin = originOf(command, files.names);
    const { largeLogIn } = await import('../cli/large-log.ts');
    const log = largeLogIn(files);
    // Before all that takes time.
    const thread = log === undefined ? undefined : (await import('../cli/classic-thread.ts')).threadFor(log);
    const selection = await selectionOf(command);
    const { reportFiles } = await import('../cli/report.ts');
    const wanted = { ...files, window: windowOf(command), selection, origin, thread, verb: 'report' };
    process.exitCode = await reportFiles(wanted, { ...options, file: fileOf(options.output), redact });
  });
}
