import { type Command, Option } from 'commander';
import { WRONG_USAGE } from '../cli/exit-codes.ts';
import { fileOf, fileOption } from '../cli/output-options.ts';
import { recordingsIn } from '../cli/recordings-in.ts';
import { addFileSelectionOptions, selectionOf } from '../cli/selection-options.ts';
import { addWindowOptions, windowOf } from '../cli/window-options.ts';

/** Registers `kstack sql`. */
export function addSql(program: Command): void {
  const command = program
    .command('sql')
    .usage('[options] FILE... STATEMENT')
    .description('Query recordings and logs in SQL, by the tables of docs/tables.md. Needs DuckDB (docs/sql.md).')
    .argument(
      '<FILE...>',
      "files or directories of recordings, then the statement: 'SELECT waits_for, count(*) FROM observations GROUP BY ALL'",
    )
    .optionsGroup('Output:')
    .addOption(
      new Option('-f, --format <FORMAT>', 'text, or jsonl: a line of JSON for each row')
        .choices(['text', 'jsonl'])
        .default('text'),
    )
    .addOption(fileOption());
  addWindowOptions(command);
  addFileSelectionOptions(command);
  command.action(async (words: string[]) => {
    const { format, output }: { format: 'text' | 'jsonl'; output?: string } = command.opts();
    const [statement = '', names] = [words.at(-1), words.slice(0, -1)];
    if (names.length === 0)
      command.error('error: give at least one file, then the statement', { exitCode: WRONG_USAGE });
    const selection = await selectionOf(command);
    const { askFiles } = await import('../cli/sql.ts');
    const wanted = { ...recordingsIn(names), window: windowOf(command), selection, verb: 'sql' };
    process.exitCode = await askFiles(wanted, { statement, format, file: fileOf(output) });
  });
}
