import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { complaintOf } from '../../../../test/malformed.ts';
import { parseCgroups } from './cgroup.ts';

describe('parseCgroups', () => {
  it('reads the kernel that runs', () => {
    expect(parseCgroups(readFileSync('/proc/self/cgroup', 'utf8')).main).toMatch(/^\//);
  });

  it.each([
    ['the path of version 2', '0::/system.slice/ssh.service\n', '/system.slice/ssh.service'],
    ['the path of version 2 beside older hierarchies', '1:name=systemd:/a\n0::/b\n', '/b'],
    [
      'that of systemd where version 2 has nothing to say',
      '4:memory:/long/er\n1:name=systemd:/user.slice\n0::/\n',
      '/user.slice',
    ],
    ['the longest of the others', '5:cpu:/\n4:memory:/docker/1234\n0::/\n', '/docker/1234'],
    ['the root', '0::/\n', '/'],
    ['one with colons and spaces', '0::/a:b c (deleted)\n', '/a:b c (deleted)'],
  ])('takes %s', (_, text, main) => {
    expect(parseCgroups(text).main).toBe(main);
  });

  it('keeps all paths, each once', () => {
    expect(parseCgroups('5:cpu:/a\n4:memory:/b\n3:pids:/a\n0::/\n').paths).toEqual(['/a', '/b', '/']);
  });

  it('finds none where no hierarchy is mounted', () => {
    expect(parseCgroups('')).toEqual({ main: '', paths: [] });
  });

  it.each([
    ['\n', 'line 1: missing'],
    ['x', 'line 1: "x" is not ID:CONTROLLERS:PATH'],
    ['0::relative\n', 'line 1: "0::relative" is not ID:CONTROLLERS:PATH'],
    ['0::/a\nmore\n', 'line 2: "more" is not ID:CONTROLLERS:PATH'],
  ])('says of %j which line is malformed', (text, message) => {
    expect(complaintOf(() => parseCgroups(text))).toBe(message);
  });

  it('takes anything', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const complaint = complaintOf(() => parseCgroups(text));
        if (complaint !== undefined) expect(complaint).toMatch(/^line \d+: /);
        else expect(text === '' || text.includes(parseCgroups(text).main)).toBe(true);
      }),
    );
  });
});
