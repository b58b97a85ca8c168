import type { Command } from 'commander';

export function addExplain(program: Command): void {
  program
    .command('explain')
    .description('Explain what the stacks in files, or on standard input, wait for.')
    .argument(
      '[FILE...]',
      'stacks from the kernel log, crash, drgn, /proc/PID/stack or kstack, in any log format, also packed with gzip ' +
        '(default: -, standard input)',
    )
    .option('--why', 'name the rule behind each explanation, its source in the kernel, and the less specific rules')
    .action(async (files: string[], { why }: { why?: true }) => {
      const { explainFiles } = await import('../cli/explain-file.ts');
      process.exitCode = await explainFiles(files, why === true);
    });
}
