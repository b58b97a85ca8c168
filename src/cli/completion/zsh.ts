import {
  type CommandDescription,
  MOST_NAMED,
  type OptionDescription,
  type ProgramDescription,
  type Value,
} from './description.ts';

/**
 * The completion of a program as a script for zsh: to be sourced behind compinit, or a file of $fpath. See
 * zshcompsys(1), _arguments.
 */
export function formatZshCompletion(program: ProgramDescription): string {
  const names = program.executables.join(' ');
  return `#compdef ${names}
# Completion for zsh, made by: kstack completion zsh

_kstack() {
  local curcontext=$curcontext state line ret=1
  local -A opt_args
  _arguments -s -S -C -A '-*' : \\
${lines(program, 4)}    '1: :_kstack_commands' \\
    '*:: :->command' && ret=0
  if [[ $state == command ]]; then
    curcontext=\${curcontext%:*:*}:kstack-$line[1]:
    case $line[1] in
${program.commands.map((command) => `      ${quote(command.name)})\n        _arguments -s -S : \\\n${lines(command, 10)}          && ret=0\n        ;;`).join('\n')}
    esac
  fi
  return ret
}

_kstack_commands() {
  local -a commands=(
${program.commands.map(({ name, description }) => `    ${quote(`${backslash(name, ':')}:${backslash(description, '')}`)}`).join('\n')}
  )
  _describe -t commands command commands
}
${COMPLETERS}
if [[ $funcstack[1] == _kstack ]]; then
  _kstack "$@"
else
  compdef _kstack ${names}
fi
`;
}

/** The specifications of a command's options and operands, one a line, each line to be continued. */
function lines({ options, operands }: CommandDescription, indent: number): string {
  const specifications = [
    ...options.flatMap(optionSpecifications),
    ...operands.map(({ value, repeats }, index) => `${repeats ? '*' : `${index + 1}:`}${valueSpecification(value)}`),
  ];
  return specifications.map((specification) => `${' '.repeat(indent)}${quote(specification)} \\\n`).join('');
}

/** One a flag: each excludes the others, but for lists, which add up. */
function optionSpecifications({ flags, description, value }: OptionDescription): string[] {
  const addsUp = value?.kind === 'pids' || value?.kind === 'users' || value?.kind === 'letters';
  const prefix = addsUp ? '*' : `(${flags.join(' ')})`;
  return flags.map((flag) => {
    const ending = value === undefined ? '' : flag.startsWith('--') ? '=' : '+';
    return `${prefix}${flag}${ending}[${backslash(description, '[]')}]${value === undefined ? '' : valueSpecification(value)}`;
  });
}

function valueSpecification(value: Value): string {
  return `:${backslash(value.name, ':')}:${action(value)}`;
}

function action(value: Value): string {
  switch (value.kind) {
    case 'choice':
      return `(${value.words.map((word) => backslash(word, ' ()[]:\'"$`')).join(' ')})`;
    case 'letters':
      return ` _kstack_letters ${value.letters}`;
    case 'file':
      return '_files';
    case 'directory':
      return '_files -/';
    case 'text':
      return ' ';
    default:
      return `_kstack_${value.kind}`;
  }
}

function backslash(text: string, special: string): string {
  return [...text]
    .map((character) => (character === '\\' || special.includes(character) ? `\\${character}` : character))
    .join('');
}

function quote(word: string): string {
  return /^\w+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

const COMPLETERS = `
_kstack_letters() {
  local typed=$PREFIX letter
  local -a left
  for letter in \${(s::)1}; do
    [[ $typed == *$letter* ]] || left+=($letter)
  done
  compset -P '*'
  compadd -S '' -- $left
}

# From /proc alone, and no file of it that waits for a lock of the process: comm is not one.
_kstack_pids() {
  local -a pids processes
  local pid comm
  compset -P '*,'
  pids=(/proc/<->(N:t))
  pids=(\${(M)pids:#\${(b)PREFIX}*})
  if (( $#pids > ${MOST_NAMED} )); then
    compadd "$@" -- $pids
    return
  fi
  for pid in $pids; do
    comm=
    { IFS= read -r comm </proc/$pid/comm } 2>/dev/null
    comm=\${comm//[^ -~]/?}
    processes+=("$pid:\${comm//\\\\/\\\\\\\\}")
  done
  _describe -t processes process processes
}

# The users of /etc/passwd, as kstack looks them up. Asking a directory service might take its time.
_kstack_users() {
  local -a users
  local name rest
  while IFS=: read -r name rest; do
    [[ $name == *[^[:alnum:]._-]* ]] || users+=($name)
  done </etc/passwd
  compset -P '*,'
  compadd "$@" -- $users
}
`;
