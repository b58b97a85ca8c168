import { Argument, type Command } from 'commander';
import type { Shell } from '../cli/print-completion.ts';

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('Print a script that completes command lines of kstack in a shell.')
    .addArgument(new Argument('<bash|zsh|fish>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: Shell) => {
      const { printCompletion } = await import('../cli/print-completion.ts');
      printCompletion(program, shell);
    });
}
