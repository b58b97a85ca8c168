export { lastErrno } from './ffi-koffi.ts';

/** The name of an errno, such as `ENOENT`. node:util is loaded only when something fails. */
export function errnoName(errno: number): string {
  return process.getBuiltinModule('node:util').getSystemErrorName(-errno);
}
