import type { Command } from 'commander';

export function addExplain(program: Command): void {
  program
    .command('explain')
    .description('Explain what the stacks in a file, or on standard input, wait for.')
    .argument('[FILE]', 'stacks from /proc/PID/stack, kstack, the kernel log, crash or drgn (default: standard input)')
    .option('--why', 'name the rule behind each explanation, its source in the kernel, and the less specific rules')
    .action(async (file: string | undefined, { why }: { why?: true }) => {
      const { explainFile } = await import('../cli/explain-file.ts');
      process.exitCode = await explainFile(file, why === true);
    });
}
