import { constants } from 'node:os';
import { expect, it } from 'vitest';
import { lastErrno } from './errno.ts';
import { findLibcFunction, libcFunction } from './libc.ts';
import { addressOf, allocate, stringAt, viewAt } from './memory.ts';

it('finds no function that the C library lacks', () => {
  expect(findLibcFunction('int no_such_function(int)')).toBeUndefined();
  expect(() => libcFunction('int no_such_function(int)')).toThrow(
    "the C library has no function 'int no_such_function(int)'",
  );
});

it('refuses under Node.js, too, what the executable could not call', () => {
  expect(() => findLibcFunction('int printf(const char *format, ...)')).toThrow("unsupported type '...'");
});

it('returns the errno of the last call', () => {
  expect(libcFunction('int close(int fd)')(-1)).toBe(-1);
  expect(lastErrno()).toBe(constants.errno.EBADF);
});

it('shares memory with C by its address', () => {
  const { address, bytes } = allocate(64);
  libcFunction('void *memset(void *memory, int byte, size_t bytes)')(address, 7, 3);
  expect([...new Uint8Array(bytes, 0, 5)]).toEqual([7, 7, 7, 0, 0]);
  expect([...new Uint8Array(viewAt(address + 2n, 2))]).toEqual([7, 0]);
});

it('returns an address of a small buffer at which its bytes stay', () => {
  for (const buffer of [Buffer.alloc(8), new Int32Array(2), Buffer.from('12345678')]) {
    const address = addressOf(buffer);
    libcFunction('void *memset(void *memory, int byte, size_t bytes)')(address, 65, buffer.byteLength);
    expect(Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength).toString()).toBe('AAAAAAAA');
  }
});

it('does not turn an address into a string unasked', () => {
  const address = libcFunction('const char *strerror(int errno)')(constants.errno.ENOENT);
  expect(typeof address).toBe('bigint');
  expect(stringAt(address ?? 0n)).toBe('No such file or directory');
  expect(libcFunction('void *memchr(const char *text, int byte, size_t bytes)')('text', 7, 4)).toBeNull();
});

it('starts a program by arrays of addresses, and waits for it', () => {
  const terminated = (text: string) => Buffer.from(`${text}\0`);
  const words = ['sh', '-c', 'exit $CODE'].map(terminated);
  const variables = [terminated('CODE=7')];
  const [argv, envp] = [words, variables].map((strings) => BigUint64Array.of(...strings.map(addressOf), 0n));
  const pid = new Int32Array(1);
  const status = new Int32Array(1);
  const spawn = libcFunction(
    'int posix_spawn(pid_t *pid, const char *path, void *actions, void *attributes, void *argv, void *envp)',
  );
  expect(spawn(pid, '/bin/sh', null, null, argv ?? null, envp ?? null)).toBe(0);
  expect(libcFunction('pid_t waitpid(pid_t pid, int *status, int options)')(pid[0] ?? 0, status, 0)).toBe(pid[0]);
  expect(status[0]).toBe(7 << 8);
});
