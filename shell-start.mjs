// The first lines of dist/kstack.cjs: a shell reads them, and hands the file to Node.js, to which they are a string and
// a comment. A shell starts as fast as env(1) does, and sees what Node.js cannot tell, or dies of.
const steps = [
  // In the place of a closed standard output, Node.js opens /dev/null. What cannot be written to (EBADF) says what is
  // lost.
  '{ true 9>&1; } 2>&- || exec 1</',
  // With fewer descriptors Node.js aborts or crashes.
  'case $(ulimit -Hn) in ?|1?|2[0-3]) echo "kstack: no room for the files that kstack opens: raise ulimit -n to 32 or more" >&2; exit 1;; esac',
  // SIGUSR1 opens the debugger from the first milliseconds on: at an address of no interface it cannot (EINVAL). kstack
  // itself ignores the signal.
  'exec node "--inspect-port=[fe80::1]:1024" "$0" "$@"',
];

export const SHEBANG = '#!/bin/sh';
export const SHELL_START = `':' //; ${steps.join('; ')}`;
