import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { complaintOf } from '../../../../test/malformed.ts';
import { parseStatus } from './status.ts';

describe('parseStatus', () => {
  it('reads the kernel that runs', () => {
    expect(parseStatus(readFileSync('/proc/self/status'))).toMatchObject({
      state: 'R',
      pid: process.pid,
      uid: process.geteuid?.(),
    });
  });

  it('undoes what the kernel escapes in a name', () => {
    const status =
      'Name:\ta\\nState:\\\\n\nUmask:\t0022\nState:\tD (disk sleep)\nTgid:\t12\nPPid:\t7\nUid:\t1\t2\t3\t4\nNStgid:\t12\t5\t1\n';
    expect(parseStatus(Buffer.from(status))).toEqual({
      name: 'a\nState:\\n',
      state: 'D',
      pid: 12,
      uid: 2,
      ppid: 7,
      namespacePid: 1,
    });
  });

  it.each([
    ['', 'Name: missing'],
    ['Name:\tx\n', 'State: missing'],
    ['Name:\tx\nState:\t? (what)\nTgid:\t1\nUid:\t0\t0\t0\t0\n', 'State: "?" is no state'],
    ['Name:\tx\nState:\tS (sleeping)\nUid:\t0\t0\t0\t0\n', 'Tgid: missing'],
    ['Name:\tx\nState:\tS (sleeping)\nTgid:\t1\nUid:\t0\n', 'Uid: missing'],
  ])('says of %j which line is malformed', (text, message) => {
    expect(complaintOf(() => parseStatus(Buffer.from(text)))).toBe(message);
  });
});
