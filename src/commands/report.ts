import type { Command } from 'commander';
import type { ReportOptions } from '../cli/report.ts';
import { addFileSelectionOptions, selectionOf } from '../cli/selection-options.ts';
import { addWindowOptions, documentOption, topOption, windowOf } from '../cli/window-options.ts';

const FILES = 'recordings, logs of kstack -b, kernel logs, dumps; - for standard input';

/** Registers `kstack report`. */
export function addReport(program: Command): void {
  const command = program
    .command('report')
    .description('Report what tasks were blocked on in recordings and logs, for how long, and who held them up.')
    .argument('<FILE...>', FILES);
  addWindowOptions(command).addOption(topOption(4)).addOption(documentOption());
  addFileSelectionOptions(command);
  command.action(async (names: string[], options: ReportOptions) => {
    const selection = await selectionOf(command);
    const { reportFiles } = await import('../cli/report.ts');
    process.exitCode = await reportFiles({ names, window: windowOf(command), selection, verb: 'report' }, options);
  });
}
