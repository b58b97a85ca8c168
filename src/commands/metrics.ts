import { type Command, Option } from 'commander';
import { addOtlpOptions } from '../cli/otlp-options.ts';
import { fileOf, fileOption } from '../cli/output-options.ts';
import { addSelectionOptions, procOf, selectionOf, sourceOf } from '../cli/selection-options.ts';
import { typedCommand } from '../cli/typed-command.ts';
import { EVERYTHING } from '../model/selection.ts';

/** Registers `kstack metrics`. */
export function addMetrics(program: Command): void {
  const command = program
    .command('metrics')
    .description('Print what tasks are blocked on, and what holds them up, as numbers for Prometheus.')
    .optionsGroup('Output:')
    .addOption(new Option('--openmetrics', 'as OpenMetrics 1.0 (default: text format 0.0.4)').conflicts('otlp'))
    .addOption(fileOption().conflicts('otlp'));
  addOtlpOptions(command, 'send them to');
  addSelectionOptions(command, 'every thread if there is none');
  command.action(async () => {
    const { openmetrics, output }: { openmetrics?: true; output?: string } = command.opts();
    const selection = await selectionOf(command);
    const { metrics } = await import('../cli/metrics.ts');
    const { otlpOf } = await import('../cli/otlp-target.ts');
    process.exitCode = await metrics({
      selection: selection === undefined ? EVERYTHING : { ...selection, threads: true },
      root: procOf(command),
      source: sourceOf(command),
      form: openmetrics === true ? 'openMetrics' : 'prometheus',
      file: fileOf(output),
      otlp: await otlpOf(command),
      verbose: program.opts()['verbose'] === true,
      typed: typedCommand(),
    });
  });
}
