import type { Command } from 'commander';
import {
  addConnectionOptions,
  type ConnectionFlags,
  maxRateOption,
  targetOf,
  toOption,
} from '../cli/clickhouse-options.ts';

interface ShipFlags extends ConnectionFlags {
  readonly to: string;
  readonly follow?: true;
  readonly maxRate?: number;
}

/** Registers `kstack ship`. */
export function addShip(program: Command): void {
  const command = program
    .command('ship')
    .description('Send recordings to ClickHouse, into the tables of `kstack schema clickhouse` (docs/ship.md).')
    .argument(
      '<FILE...>',
      'a directory of recordings, of which only what is new is sent, or files, which are sent whole',
    )
    .addOption(toOption('').makeOptionMandatory())
    .option('--follow', 'continue with what is recorded into the directory from now on')
    .addOption(maxRateOption());
  addConnectionOptions(command);
  command.action(async (names: string[]) => {
    const flags: ShipFlags = command.opts();
    const { to, follow = false, maxRate } = flags;
    const target = targetOf(command, to, "the URL of '--to'");
    const { ship } = await import('../cli/ship.ts');
    process.exitCode = await ship({ names, target, connection: flags, follow, maxRate });
  });
}
