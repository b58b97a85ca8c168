import type { Command } from 'commander';
import { WRONG_USAGE } from '../cli/exit-codes.ts';
import { addOriginOptions, originOf } from '../cli/host-options.ts';
import { addOutputOptions, misplacedIn, outputOptionsOf } from '../cli/output-options.ts';
import { recordingsIn } from '../cli/recordings-in.ts';
import { addFileSelectionOptions, selectionOf } from '../cli/selection-options.ts';
import { addWindowOptions, windowOf } from '../cli/window-options.ts';

/** Registers `kstack convert`. */
export function addConvert(program: Command): void {
  const command = program
    .command('convert')
    .description('Write the samples of recordings and logs in another format.')
    .argument(
      '<FILE...>',
      'recordings or directories of them, logs of kstack -b, kernel logs, dumps; - for standard input; ' +
        'clickhouse://HOST/DATABASE',
    );
  addWindowOptions(command);
  addOutputOptions(command);
  addOriginOptions(command);
  addFileSelectionOptions(command);
  command.action(async (given: string[]) => {
    const output = outputOptionsOf(command);
    const misplaced = misplacedIn(output);
    if (misplaced !== undefined) command.error(`error: ${misplaced}`, { exitCode: WRONG_USAGE });
    const files = recordingsIn(given);
    const origin = originOf(command, files.names);
    const selection = await selectionOf(command);
    const { convertFiles } = await import('../cli/convert.ts');
    const wanted = { ...files, window: windowOf(command), selection, origin, verb: 'convert' };
    process.exitCode = await convertFiles(wanted, output);
  });
}
