import {
  type CommandDescription,
  MOST_NAMED,
  type OptionDescription,
  type ProgramDescription,
  type Value,
} from './description.ts';

/** The completion of a program as a script for fish 3.1 or newer. */
export function formatFishCompletion(program: ProgramDescription): string {
  const [name = '', ...others] = program.executables;
  const commands = [program, ...program.commands];
  return `# Completion for fish, made by: kstack completion fish

# Whether option word $argv[2] of command $argv[1] has its value in the next word.
function __kstack_value_follows
    switch "$argv[1]"
${commands.map((command) => `        case ${quote(command.name)}\n            string match -qr -- ${quote(valueFollows(command))} $argv[2]`).join('\n')}
    end
end

# Whether what is completed belongs to command $argv[1], and, with -eq N or -ge N, is its operand number N, or one from there on.
function __kstack_at
    set -l command ''
    set -l operands 0
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip -eq 1
            set skip 0
        else if string match -q -- '-*' $word
            __kstack_value_follows "$command" $word; and set skip 1
        else if test -z "$command"; and contains -- $word ${program.commands.map((command) => quote(command.name)).join(' ')}
            set command $word
        else
            set operands (math $operands + 1)
        end
    end
    test "$command" = "$argv[1]"; or return
    test (count $argv) -eq 1; or test $operands $argv[2..3]
end
${COMPLETERS}
complete -c ${name} -f
${program.commands.map((command) => `complete -c ${name} -n "__kstack_at '' -eq 0" -a ${quote(command.name)} -d ${quote(command.description)}`).join('\n')}
${commands.flatMap((command) => completions(name, command)).join('\n')}
${others.map((other) => `complete -c ${other} -w ${name}`).join('\n')}
`;
}

function completions(executable: string, { name, options, operands }: CommandDescription): string[] {
  const at = `complete -c ${executable} -n`;
  return [
    ...options.map((option) => `${at} ${quote(`__kstack_at ${quote(name)}`)} ${optionArguments(option)}`),
    ...operands.map(
      ({ value, repeats }, index) =>
        `${at} ${quote(`__kstack_at ${quote(name)} ${repeats ? '-ge' : '-eq'} ${index}`)} ${valueArguments(value)}`,
    ),
  ];
}

function optionArguments({ flags, description, value }: OptionDescription): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  return [...names, ...(value === undefined ? [] : ['-r', valueArguments(value)]), '-d', quote(description)].join(' ');
}

function valueArguments(value: Value): string {
  switch (value.kind) {
    case 'file':
      return '-F';
    case 'text':
      return '-f';
    case 'choice':
      return `-f -a ${quote(value.words.map(quote).join(' '))}`;
    case 'letters':
      return `-f -a '(__kstack_letters ${quote(value.letters)})'`;
    default:
      return `-f -a '(__kstack_${value.kind})'`;
  }
}

/** Matches a word whose last option takes a value, which is not in the word: --long, or -x at the end of a cluster. */
function valueFollows({ options }: CommandDescription): string {
  const flags = (long: boolean, takesValue: boolean) =>
    options
      .filter(({ value }) => (value !== undefined) === takesValue)
      .flatMap((option) => option.flags)
      .filter((flag) => flag.startsWith('--') === long)
      .map((flag) => flag.replace(/^-+/, ''));
  const letters = (takesValue: boolean) =>
    flags(false, takesValue).length === 0 ? '(?!)' : `[${flags(false, takesValue).join('')}]`;
  return `^(?:--(?:${[...flags(true, true), '(?!)'].join('|')})|-(?:${letters(false)})*${letters(true)})$`;
}

function quote(word: string): string {
  return /^\w+$/.test(word) ? word : `'${word.replaceAll(/[\\']/g, '\\$&')}'`;
}

const COMPLETERS = `
# The value that is being typed, without the option in the same word.
function __kstack_typed
    commandline -ct | string replace -r '^(?:--[^=]*=|-[[:alpha:]]+)' ''
end

# What of it stays in front of the last element of a list.
function __kstack_list_before
    __kstack_typed | string replace -r '[^,]*$' ''
end

function __kstack_letters
    set -l typed (__kstack_typed)
    for letter in (string split '' $argv[1])
        string match -q "*$letter*" "$typed"; or echo $typed$letter
    end
end

function __kstack_directory
    # Behind the name of a directory fish writes a slash.
    complete -C "'' "(__kstack_typed) | string match -r '^.*/(?=\\t|$)'
end

# From /proc alone, and no file of it that waits for a lock of the process: comm is not one.
function __kstack_pids
    set -l before (__kstack_list_before)
    set -l last (__kstack_typed | string match -r '[^,]*$')
    set -l pids (string match -r '(?<=^/proc/)'$last'\\d*$' /proc/*)
    if test (count $pids) -gt ${MOST_NAMED}
        printf '%s\\n' $before$pids
        return
    end
    for pid in $pids
        set -l comm
        # Where there is no file, fish complains, and nothing keeps it from that.
        test -e /proc/$pid/comm; and read comm </proc/$pid/comm
        printf '%s\\t%s\\n' "$before$pid" (string replace -ar '[^ -~]' '?' -- "$comm")
    end
end

# The users of /etc/passwd, as kstack looks them up. Asking a directory service might take its time.
function __kstack_users
    set -l before (__kstack_list_before)
    printf '%s\\n' "$before"(string replace -rf '^([[:alnum:]._-]+):.*' '$1' </etc/passwd)
end
`;
