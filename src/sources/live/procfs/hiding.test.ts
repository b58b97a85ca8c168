import { expect, it } from 'vitest';
import { hidesProcesses } from './hiding.ts';

const mountinfo = (options: string) =>
  `21 1 0:20 / /proc rw - proc proc rw\n36 21 0:33 / /mnt/p rw,relatime shared:5 - proc proc rw${options}\n`;
const status = (capabilities: string, groups = '') =>
  `Name:\tx\nGid:\t65534\t65534\t65534\t65534\nGroups:\t${groups}\nCapEff:\t${capabilities}\n`;

it.each([
  ['', '0000000000200000', '', false],
  [',hidepid=1', '0000000000200000', '', false],
  [',hidepid=noaccess', '0000000000200000', '', false],
  [',hidepid=2', '0000000000200000', '', true],
  [',hidepid=invisible', '0000000000200000', '', true],
  [',hidepid=ptraceable', '0000000000200000', '', true],
  [',hidepid=invisible', '0000000000280000', '', false],
  [',gid=42,hidepid=invisible', '0000000000200000', '7 42', false],
  [',gid=42,hidepid=invisible', '0000000000200000', '7', true],
])(
  'a procfs with the options "%s" hides processes from whoever has the capabilities %s and the groups "%s": %s',
  (...line) => {
    const [options, capabilities, groups, hides] = line;
    expect(hidesProcesses('/mnt/p', mountinfo(options), status(capabilities, groups))).toBe(hides);
    expect(hidesProcesses('/proc', mountinfo(options), status(capabilities, groups))).toBe(false);
  },
);
