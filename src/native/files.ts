import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import { errnoName, lastErrno } from './errno.ts';
import type { NativeFunction } from './ffi.ts';
import { libcFunction } from './libc.ts';

/** The same on every Linux except alpha, hppa and sparc (include/uapi/asm-generic/fcntl.h). node:fs always sets it. */
export const O_CLOEXEC = 0o2000000;

/** __NR_getdents64, by Node.js's name of the architecture. */
const GETDENTS: Readonly<Record<string, number>> = { x64: 217, arm64: 61 };
/** struct linux_dirent64 (getdents64(2)): offsets of the record's length and of the name. */
const ENTRY = { length: 16, name: 19 } as const;
const LIST_BYTES = 1 << 16;
const ZERO = 48;
const NINE = 57;

let entries: Buffer | undefined;

/**
 * The numeric names in a folder, as numbers. node:fs takes twice as long, because it makes a string of each name.
 * @throws Error with the errno's name as `code`
 */
export function listNumbers(path: string): number[] {
  const call = GETDENTS[process.arch];
  if (call === undefined)
    return readdirSync(path)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  getdents ??= libcFunction('long syscall(long number, int fd, void *entries, size_t bytes)');
  entries ??= Buffer.alloc(LIST_BYTES);
  const numbers: number[] = [];
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    for (;;) {
      const length = Number(getdents(call, fd, entries, LIST_BYTES));
      if (length < 0) {
        const code = errnoName(lastErrno());
        throw Object.assign(new Error(`${code}: cannot list ${path}`), { code });
      }
      if (length === 0) return numbers;
      takeNumbers(entries, length, numbers);
    }
  } finally {
    closeSync(fd);
  }
}

let getdents: NativeFunction | undefined;

function takeNumbers(from: Buffer, length: number, numbers: number[]): void {
  for (let at = 0; at < length; at += from.readUInt16LE(at + ENTRY.length)) {
    let number = 0;
    let end = at + ENTRY.name;
    for (let byte = from[end] ?? 0; byte >= ZERO && byte <= NINE; byte = from[++end] ?? 0)
      number = number * 10 + byte - ZERO;
    if (from[end] === 0 && end > at + ENTRY.name) numbers.push(number);
  }
}

const SEEK_END = 2;

/**
 * Moves a descriptor to the end of its file; node:fs has no lseek(2).
 * @throws Error with the errno's name as `code`
 */
export function seekToEnd(fd: number): void {
  if (Number(libcFunction('long lseek(int fd, long offset, int whence)')(fd, 0, SEEK_END)) >= 0) return;
  const code = errnoName(lastErrno());
  throw Object.assign(new Error(`${code}: cannot seek`), { code });
}
