import type { CommandDescription, ProgramDescription, Value } from './description.ts';

/**
 * The completion of a program as a script for bash 4.2 or newer, which needs nothing of the package bash-completion.
 * File names are left to readline, which quotes them.
 */
export function formatBashCompletion(program: ProgramDescription): string {
  const commands = [program, ...program.commands];
  return `# Completion for bash, made by: kstack completion bash

# How the value of option $2 of command $1 is completed. Fails where the option takes none.
_kstack_value() {
  case "$1 $2" in
${commands.flatMap(valueCases).join('\n')}
    *) return 1 ;;
  esac
}

# How operand number $2 of command $1 is completed.
_kstack_operand() {
  case "$1 $2" in
${[`    ' 0') completer=(_kstack_words ${program.commands.map(({ name }) => quote(name)).join(' ')}) ;;`, ...commands.flatMap(operandCases)].join('\n')}
  esac
}

_kstack_flags() {
  case $1 in
${commands.map(({ name, options }) => `    ${quote(name)}) completer=(_kstack_words ${options.flatMap(({ flags }) => flags).join(' ')}) ;;`).join('\n')}
  esac
}
${COMPLETERS}
complete -F _kstack ${program.executables.join(' ')}
`;
}

function valueCases({ name, options }: CommandDescription): string[] {
  return options.flatMap(({ flags, value }) =>
    value === undefined
      ? []
      : [`    ${flags.map((flag) => quote(`${name} ${flag}`)).join(' | ')}) completer=(${completer(value)}) ;;`],
  );
}

function operandCases({ name, operands }: CommandDescription): string[] {
  return operands.map(
    ({ value, repeats }, index) =>
      `    ${quote(`${name} ${index}`)}${repeats ? ` | ${quote(`${name} `)}*` : ''}) completer=(${completer(value)}) ;;`,
  );
}

function completer(value: Value): string {
  switch (value.kind) {
    case 'choice':
      return ['_kstack_words', ...value.words.map(quote)].join(' ');
    case 'letters':
      return `_kstack_letters ${quote(value.letters)}`;
    default:
      return `_kstack_${value.kind}`;
  }
}

function quote(word: string): string {
  return /^[\w.-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

const COMPLETERS = `
# The completers: 'typed' is to be completed, 'before' stands in front of it in the same word.
_kstack_words() {
  local word
  for word; do
    [[ $word == "$typed"* ]] && COMPREPLY+=("$before$word")
  done
}

_kstack_text() { :; }

_kstack_file() { compopt -o default; }

_kstack_directory() { compopt -o dirnames; }

_kstack_letters() {
  local -i at
  for ((at = 0; at < \${#1}; at++)); do
    [[ $typed == *"\${1:at:1}"* ]] || COMPREPLY+=("$before$typed\${1:at:1}")
  done
  compopt -o nospace
}

_kstack_pids() {
  local entry
  _kstack_last_of_list
  for entry in /proc/[0-9]*; do
    [[ $entry == "/proc/$typed"* ]] && COMPREPLY+=("$before\${entry#/proc/}")
  done
}

# The users of /etc/passwd, as kstack looks them up. Asking a directory service might take its time.
_kstack_users() {
  local name rest
  _kstack_last_of_list
  while IFS=: read -r name rest; do
    [[ $name == "$typed"* && $name != *[![:alnum:]._-]* ]] && COMPREPLY+=("$before$name")
  done </etc/passwd
}

_kstack_last_of_list() {
  [[ $typed == *,* ]] || return
  before+=\${typed%,*},
  typed=\${typed##*,}
}

# Finds the option in word $1 that takes a value ('flag'), and how the word goes on behind it ('attached', with the = of a long one, and 'typed').
# Fails where there is none.
_kstack_split_option() {
  local -i at
  if [[ $1 == --* ]]; then
    flag=\${1%%=*} before=$flag= typed=\${1#"$flag"}
    attached=\${typed:0:1} typed=\${typed#=}
    _kstack_value "$command" "$flag" && return
  else
    for ((at = 1; at < \${#1}; at++)); do
      flag=-\${1:at:1} before=\${1:0:at+1} typed=\${1:at+1}
      attached=$typed
      _kstack_value "$command" "$flag" && return
    done
  fi
  flag='' attached=''
  return 1
}

_kstack() {
  local IFS=$' \\t\\n' command='' flag='' attached='' before='' typed='' options=yes word
  local -i operands=0
  local -a completer=()
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ -n $flag ]]; then
      # A value; readline takes --option=value for three words.
      [[ $flag == --* && $word == =* ]] || flag=''
    elif [[ $word =~ ^[:=]+$ ]]; then
      # And so it does with one:word, here what goes on behind a value.
      flag=$word
    elif [[ $word == -- ]]; then
      options=''
    elif [[ -n $options && $word == -?* ]]; then
      _kstack_split_option "$word" && [[ -n $attached ]] && flag=''
    elif [[ -z $command ]] && _kstack_flags "$word"; then
      command=$word
    else
      operands+=1
    fi
  done
  completer=()
  word=\${COMP_WORDS[COMP_CWORD]}
  if [[ -n $flag ]]; then
    before='' typed=$word
    [[ $flag == --* && $word == = ]] && typed=''
    _kstack_value "$command" "$flag"
  elif [[ -n $options && $word == -* ]]; then
    if ! _kstack_split_option "$word" || [[ -z $attached ]]; then
      before='' typed=$word
      _kstack_flags "$command"
    fi
  else
    before='' typed=$word
    _kstack_operand "$command" "$operands"
  fi
  [[ \${#completer[@]} -eq 0 ]] || "\${completer[@]}"
}
`;
