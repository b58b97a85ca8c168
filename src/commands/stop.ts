import type { Command } from 'commander';
import { directoryOption } from '../cli/background-options.ts';

export function addStop(program: Command): void {
  program
    .command('stop')
    .description('Stop the active background run and wait until it has ended.')
    .addOption(directoryOption())
    .action(async ({ d }: { d: string }) => {
      const { stop } = await import('../background/stop.ts');
      process.exitCode = await stop(d);
    });
}
