import { type Command, InvalidArgumentError, Option } from 'commander';
import { TABLE_NAMES, type TableName } from '../analysis/tables/tables.ts';
import { FORMAT_NAMES, type FormatName } from '../sinks/formats.ts';

/** How and where a sample is written. */
export interface OutputOptions {
  readonly format: FormatName;
  /** Undefined for standard output. */
  readonly file: string | undefined;
  readonly full: boolean;
  readonly annotate: boolean;
  /** Whether stand-ins replace what tells of people and machines. */
  readonly redact: boolean;
  /** Of formats that write one. */
  readonly table?: TableName;
}

/** Adds the output options to a command. */
export function addOutputOptions(command: Command): void {
  command
    .optionsGroup('Output:')
    .addOption(new Option('-f, --format <FORMAT>', 'output format').choices(FORMAT_NAMES).default('text'))
    .addOption(fileOption())
    .option('--full', 'with -f long, json, jsonl: leave nothing out')
    .option('--annotate', 'with -f folded: mark functions of the kernel with _[k]')
    .addOption(
      new Option('--table <NAME>', 'with -f parquet: a table of docs/tables.md, else observations').choices(
        TABLE_NAMES,
      ),
    )
    .addOption(redactOption());
}

export function fileOption(): Option {
  return new Option('-o, --output <FILE>', 'write to this file; replaces it once the output is complete').argParser(
    parseFile,
  );
}

export function redactOption(): Option {
  return new Option('--redact', 'to hand on: replace arguments, users, hosts, addresses and paths with stand-ins');
}

/** Names of standard output. Three of them are links, which writing to a file would refuse to follow. */
const STDOUT = ['-', '/dev/stdout', '/dev/fd/1', '/proc/self/fd/1'];

function parseFile(name: string): string {
  if (name === '') throw new InvalidArgumentError('Give the name of a file, or - for standard output.');
  return name;
}

/** Undefined for standard output. */
export function fileOf(name: string | undefined): string | undefined {
  return name === undefined || STDOUT.includes(name) ? undefined : name;
}

interface OutputFlags {
  readonly format: FormatName;
  readonly output?: string;
  readonly full?: true;
  readonly annotate?: true;
  readonly redact?: true;
  readonly table?: TableName;
}

/** The parsed options. */
export function outputOptionsOf(command: Command): OutputOptions {
  const options: OutputFlags = command.opts();
  const { format, output: name, full, annotate, redact, table } = options;
  const marks = { full: full === true, annotate: annotate === true, redact: redact === true };
  return { format, file: fileOf(name), ...marks, ...(table !== undefined && { table }) };
}

/** The formats that are abridged without `--full`: in large groups, they do not look up all system calls. */
const ABRIDGED: readonly FormatName[] = ['long', 'json', 'jsonl'];

/** The message about an option that the format does not use; undefined if there is none. */
export function misplacedIn({ format, full, annotate, table }: OutputOptions): string | undefined {
  if (full && !ABRIDGED.includes(format)) return "'--full' needs '-f long', 'json' or 'jsonl'";
  if (annotate && format !== 'folded') return "'--annotate' needs '-f folded'";
  if (table !== undefined && format !== 'parquet') return "'--table' needs '-f parquet'";
  return undefined;
}
