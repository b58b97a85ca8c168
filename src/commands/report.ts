import type { Command } from 'commander';
import { addWindowOptions, topOption, windowOf } from '../cli/window-options.ts';

const FILES = 'recordings, logs of kstack -b, kernel logs, dumps; - for standard input';

/** Registers `kstack report`. */
export function addReport(program: Command): void {
  const command = program
    .command('report')
    .description('Report what tasks were blocked on in recordings and logs, for how long, and who held them up.')
    .argument('<FILE...>', FILES);
  addWindowOptions(command).addOption(topOption(5));
  command.action(async (files: string[], { top }: { top: number }) => {
    const { reportFiles } = await import('../cli/report.ts');
    process.exitCode = await reportFiles(files, windowOf(command), top);
  });
}
