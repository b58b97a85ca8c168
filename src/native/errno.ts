export { lastErrno } from './ffi-koffi.ts';

/** The name of an errno: `ENOENT`. What knows it is loaded when something fails. */
export function errnoName(errno: number): string {
  return process.getBuiltinModule('node:util').getSystemErrorName(-errno);
}
