/** What an error of a call on a file says, without the call: `no such file or directory (ENOENT)`. */
export function reasonOf(error: unknown): string {
  return textOf(error).replace(SOCKET, '$1');
}

/** Node.js says so of EOPNOTSUPP, also where there is no socket. */
const SOCKET = /^(operation not supported) on socket/;

function textOf(error: unknown): string {
  if (error instanceof Error && 'reason' in error && typeof error.reason === 'string') return error.reason;
  const text = error instanceof Error ? error.message : String(error);
  const [, code, reason] = /^([A-Z][A-Z0-9]+): (.+?)(?:, \w+(?: '.*')?)?$/s.exec(text) ?? [];
  return code === undefined ? text : `${reason} (${code})`;
}
