/** What a shell has to know of a program to complete its command line. */
export interface ProgramDescription extends CommandDescription {
  /** The names under which it is installed. */
  readonly executables: readonly string[];
  readonly commands: readonly CommandDescription[];
}

/** A command; the program itself is the one without a name. */
export interface CommandDescription {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionDescription[];
  readonly operands: readonly OperandDescription[];
}

export interface OptionDescription {
  /** As typed, with their dashes: the short one, the long one, or both. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Absent where the option takes no value. */
  readonly value?: Value;
}

export interface OperandDescription {
  readonly value: Value;
  /** Whether it may be given any number of times. */
  readonly repeats: boolean;
}

/** What stands behind an option, or as an operand. `name` is what the help calls it. */
export type Value = { readonly name: string } & (
  | { readonly kind: 'file' | 'directory' | 'pids' | 'users' | 'text' }
  | { readonly kind: 'choice'; readonly words: readonly string[] }
  | { readonly kind: 'letters'; readonly letters: string }
);

/** Processes are listed with their names up to this many. Each is a file to read, and of more nobody reads the list. */
export const MOST_NAMED = 500;
