export { lastErrno } from './ffi-koffi.ts';

/** The name of an errno, such as `ENOENT`. node:util is loaded only when something fails. */
export function errnoName(errno: number): string {
  return process.getBuiltinModule('node:util').getSystemErrorName(-errno);
}

/** What strerror(3) says, in lower case, and the name: `no such file or directory (ENOENT)`. */
export function errnoText(errno: number): string {
  const [name, words] = process.getBuiltinModule('node:util').getSystemErrorMap().get(-errno) ?? [];
  return name === undefined ? errnoName(errno) : `${words} (${name})`;
}
