import { describe, expect, it } from 'vitest';
import { parseDeclaration } from './declaration.ts';

describe('parseDeclaration', () => {
  it.each([
    ['int close(int fd)', { name: 'close', result: 'int', parameters: ['int'] }],
    ['void tzset()', { name: 'tzset', result: 'void', parameters: [] }],
    ['void tzset(void)', { name: 'tzset', result: 'void', parameters: [] }],
    ['void *malloc(size_t)', { name: 'malloc', result: 'pointer', parameters: ['size_t'] }],
    ['const char *strerror(int errno)', { name: 'strerror', result: 'pointer', parameters: ['int'] }],
    [
      'int open(const char *path, unsigned int flags)',
      { name: 'open', result: 'int', parameters: ['string', 'unsigned int'] },
    ],
    [
      'long read(int fd, void *bytes, size_t)',
      { name: 'read', result: 'long', parameters: ['int', 'pointer', 'size_t'] },
    ],
    [
      'int f(unsigned int, const void *options, char *const *argv)',
      { name: 'f', result: 'int', parameters: ['unsigned int', 'pointer', 'pointer'] },
    ],
    [
      'pid_t waitpid(pid_t pid, int *status, int)',
      { name: 'waitpid', result: 'int', parameters: ['int', 'pointer', 'int'] },
    ],
  ])('knows what %s takes and returns', (declaration, parsed) => {
    expect(parseDeclaration(declaration)).toEqual(parsed);
  });

  it.each([
    'int',
    'close',
    'int close(',
    'double sqrt(double)',
    'int printf(const char *format, ...)',
    'struct s f(int)',
  ])('refuses %s', (declaration) => {
    expect(() => parseDeclaration(declaration)).toThrow(declaration);
  });
});
