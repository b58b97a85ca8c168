import { type Command, Option } from 'commander';
import { WRONG_USAGE } from './exit-codes.ts';

/**
 * Answers an option of other tools, or of another command, with what to give in its place. Help and completion do not
 * show it.
 * @param flags such as `-d <SECONDS>`
 * @param instead completes `unknown option '-d': `
 */
export function addForeignOption(command: Command, flags: string, instead: string): void {
  const option = new Option(flags).hideHelp();
  const [flag] = flags.split(' ', 1);
  command.addOption(option).on(`option:${option.name()}`, () => {
    command.error(`error: unknown option '${flag}': ${instead}`, { exitCode: WRONG_USAGE });
  });
}
