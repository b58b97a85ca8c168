import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { reasonOf } from './reason.ts';

it('The reason of an error of a call on a file is what went wrong and its errno, without the call', () => {
  const failure = (): unknown => {
    try {
      return readFileSync('/proc/self/nothing');
    } catch (error) {
      return error;
    }
  };
  expect(reasonOf(failure())).toBe('no such file or directory (ENOENT)');
  expect(reasonOf(new Error('ENOSPC: no space left on device, write'))).toBe('no space left on device (ENOSPC)');
  const refused = new Error('ENOTSUP: operation not supported on socket, open');
  expect(reasonOf(refused)).toBe('operation not supported (ENOTSUP)');
  expect(reasonOf(Object.assign(refused, { reason: 'operation not supported on socket (ENOTSUP)' }))).toBe(
    'operation not supported (ENOTSUP)',
  );
  expect(reasonOf(new Error('it is a directory'))).toBe('it is a directory');
  expect(reasonOf('told as a text')).toBe('told as a text');
});
