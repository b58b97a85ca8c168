/** What a shell has to know to complete the program's command lines. */
export interface ProgramDescription extends CommandDescription {
  /** The names it is installed under. */
  readonly executables: readonly string[];
  /** The flags that may precede a command. */
  readonly beforeCommand: readonly string[];
  readonly commands: readonly CommandDescription[];
}

/** A command. The program itself has an empty name. */
export interface CommandDescription {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionDescription[];
  readonly operands: readonly OperandDescription[];
}

export interface OptionDescription {
  /** With dashes: the short flag, the long one, or both. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Absent if the option takes no value. */
  readonly value?: Value;
}

export interface OperandDescription {
  readonly value: Value;
  /** It may be given any number of times. */
  readonly repeats: boolean;
}

/** The value of an option or operand. `name` is the one in the help. */
export type Value = { readonly name: string } & (
  | { readonly kind: 'file' | 'directory' | 'pids' | 'users' | 'text' }
  | { readonly kind: 'choice'; readonly words: readonly string[] }
  | { readonly kind: 'letters'; readonly letters: string }
);

/** Up to this many processes are listed with names. Each name is a file to read, and nobody reads a longer list. */
export const MOST_NAMED = 500;
