import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it, type TestContext } from 'vitest';
import { requires } from '../../test/harness.ts';
import { BpfError } from './bpf.ts';
import { type BpfObject, isCurable, loadObject, ObjectRefused } from './bpf-loader.ts';

const ERRNO = { EPERM: 1, EAGAIN: 11, ENOMEM: 12, EACCES: 13, EINVAL: 22, E2BIG: 7 } as const;

/** A loader program that reports a refusal: `r0 = -errno; exit`. */
function refusedWith(errno: number): BpfObject {
  const instructions = Buffer.alloc(16);
  instructions[0] = 0xb7;
  instructions.writeInt32LE(-errno, 4);
  instructions[8] = 0x95;
  const [maps, programs] = [[], ['tasks']];
  return {
    maps,
    programs,
    instructions: instructions.toString('base64'),
    data: 'AAAAAAAAAAA=',
    elf: gzipSync('no object').toString('base64'),
  };
}

describe('libbpf is tried', () => {
  it.each([
    ['if the kernel does not know the type of the loader', new BpfError('x', ERRNO.EINVAL), true],
    ['if the kernel does not know relocations', new ObjectRefused('x', ERRNO.E2BIG), true],
    ['not if the programs are refused', new ObjectRefused('x', ERRNO.EINVAL), false],
    ['not if the loader is denied', new BpfError('x', ERRNO.EPERM), false],
    ['not if the programs are denied', new ObjectRefused('x', ERRNO.EACCES), false],
    ['not if memory is short', new BpfError('x', ERRNO.ENOMEM), false],
    ['not if kstack is at fault', new Error('x'), false],
  ])('%s', (_, error, curable) => {
    expect(isCurable(error)).toBe(curable);
  });
});

describe('a refusal', () => {
  beforeEach((context: TestContext) => requires(context, 'root'));

  it.each(['EPERM', 'EACCES', 'EINVAL', 'EAGAIN'] as const)('with %s costs no more than 10 ms', (name) => {
    // The fastest of several, since the machine may be busy.
    const took = Array.from({ length: 7 }, () => {
      const started = performance.now();
      expect(() => loadObject(refusedWith(ERRNO[name]))).toThrow(BpfError);
      return performance.now() - started;
    });
    expect(Math.min(...took)).toBeLessThan(10);
  });

  it('names what was refused, and why', () => {
    let error: unknown;
    try {
      loadObject(refusedWith(ERRNO.EPERM));
    } catch (caught) {
      error = caught;
    }
    // This kernel may refuse the loader program itself.
    expect(String(error)).toMatch(/^Error: (?:the kernel refuses tasks: EPERM|.*: E[A-Z]+)/);
  });
});
