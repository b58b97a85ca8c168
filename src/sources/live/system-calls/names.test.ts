import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isKind } from './arguments.ts';
import { arm64Names, i386Names, x64Names } from './names.ts';
import { I386_SIGNATURES, SIGNATURES } from './signatures.ts';

/** The names and numbers that a header of linux-libc-dev defines. */
function defined(path: string): [name: string, number: number][] {
  const lines = readFileSync(path, 'latin1').matchAll(/^#define __NR(?:3264)?_(\w+) (\d+)$/gm);
  return Array.from(lines, ([, name = '', number]) => [name, Number(number)]);
}

/** What of the generic header arm64 has under another name, and what it has not: 403 to 423 are for 32-bit tasks. */
const ARM64_NAME: Readonly<Record<string, string>> = { fstatat: 'newfstatat' };
const NOT_OF_ARM64 = new Set(['syscalls', 'arch_specific_syscall', 'sync_file_range2']);
const isOfArm64 = ([name, number]: [string, number]) => !NOT_OF_ARM64.has(name) && (number < 403 || number > 423);

describe('the table of names', () => {
  it.for([
    ['x86-64', x64Names(), '/usr/include/x86_64-linux-gnu/asm/unistd_64.h', 300],
    ['i386', i386Names(), '/usr/include/x86_64-linux-gnu/asm/unistd_32.h', 400],
    ['arm64', arm64Names(), '/usr/include/asm-generic/unistd.h', 250],
  ] as const)('of %s agrees with the kernel headers of this machine', ([, names, header, least], context) => {
    if (!existsSync(header)) context.skip(`needs ${header} (Debian: libc6-dev)`);
    // Headers may be of a kernel that is newer than the table.
    const newest = Math.max(...names.keys());
    const all = defined(header).filter(([, number]) => number <= newest);
    const numbers =
      names !== arm64Names()
        ? all
        : all.filter(isOfArm64).map(([name, number]) => [ARM64_NAME[name] ?? name, number] as const);
    expect(numbers.length).toBeGreaterThan(least);
    expect(numbers.filter(([name, number]) => names.get(number) !== name)).toEqual([]);
  });

  it('gives the calls that came to all architectures at once the same numbers', () => {
    const since = (names: ReadonlyMap<number, string>) => [...names].filter(([number]) => number >= 424);
    expect(since(x64Names())).toEqual(since(arm64Names()));
    expect(since(i386Names())).toEqual(since(arm64Names()));
    expect(x64Names().get(469)).toBe('file_setattr');
  });

  it('has each name once', () => {
    for (const names of [x64Names(), i386Names(), arm64Names()]) expect(new Set(names.values()).size).toBe(names.size);
  });
});

describe('the table of signatures', () => {
  it('has calls of one of the architectures only', () => {
    const all = new Set([...x64Names().values(), ...arm64Names().values(), ...i386Names().values()]);
    expect(Object.keys(SIGNATURES).filter((name) => !all.has(name))).toEqual([]);
    const i386 = new Set(i386Names().values());
    expect(Object.keys(I386_SIGNATURES).filter((name) => !i386.has(name))).toEqual([]);
  });

  it('has known kinds of arguments only', () => {
    const words = Object.values({ ...SIGNATURES, ...I386_SIGNATURES }).flatMap((signature) => signature.split(' '));
    expect(words.filter((word) => word !== '' && !isKind(word))).toEqual([]);
  });

  it('has all that arm64 has', () => {
    expect([...arm64Names().values()].filter((name) => SIGNATURES[name] === undefined)).toEqual(['nfsservctl']);
  });
});
