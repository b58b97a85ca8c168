import { libcFunction } from './libc.ts';

/** Ends the process at once by _exit(2): the kernel ends threads that hang in a read, which Node would wait for. What is to be written must be written before. */
export function exitNow(code: number): void {
  libcFunction('void _exit(int code)')(code);
}
