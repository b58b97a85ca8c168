import type { Command } from 'commander';
import { directoryOption } from '../cli/background-options.ts';

export function addStatus(program: Command): void {
  program
    .command('status')
    .description('Show the active background run: since when, until when, and what it has written.')
    .addOption(directoryOption())
    .action(async ({ d }: { d: string }) => {
      const { status } = await import('../background/status.ts');
      process.exitCode = await status(d);
    });
}
