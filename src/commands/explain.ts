import type { Command } from 'commander';
import { recordingsIn } from '../cli/recordings-in.ts';
import { addFileSelectionOptions, selectionOf } from '../cli/selection-options.ts';

export function addExplain(program: Command): void {
  const command = program
    .command('explain')
    .description('Explain what the stacks in files, or on standard input, wait for.')
    .argument(
      '[FILE...]',
      'stacks from the kernel log, crash, drgn, /proc/PID/stack or kstack, in any log format, also packed with gzip, ' +
        'or a directory of recordings ' +
        '(default: -, standard input)',
    )
    .option('--why', 'name the rule behind each explanation, its source in the kernel, and the less specific rules');
  addFileSelectionOptions(command);
  command.action(async (names: string[], { why }: { why?: true }) => {
    const selection = await selectionOf(command);
    const { explainFiles } = await import('../cli/explain-file.ts');
    process.exitCode = await explainFiles({ ...recordingsIn(names), selection, why: why === true });
  });
}
