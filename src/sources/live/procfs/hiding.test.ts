import { expect, it } from 'vitest';
import { hidingBy } from './hiding.ts';

const mountinfo = (options: string) =>
  `21 1 0:20 / /proc rw - proc proc rw\n36 21 0:33 / /mnt/p rw,relatime shared:5 - proc proc rw${options}\n`;
const status = (capabilities: string, groups = '') =>
  `Name:\tx\nGid:\t65534\t65534\t65534\t65534\nGroups:\t${groups}\nCapEff:\t${capabilities}\n`;

it.each([
  ['', '0000000000200000', '', 'nothing'],
  [',hidepid=1', '0000000000200000', '', 'denies by hidepid=1'],
  [',hidepid=noaccess', '0000000000200000', '', 'denies by hidepid=noaccess'],
  [',hidepid=2', '0000000000200000', '', 'hides by hidepid=2'],
  [',hidepid=invisible', '0000000000200000', '', 'hides by hidepid=invisible'],
  [',hidepid=ptraceable', '0000000000200000', '', 'hides by hidepid=ptraceable'],
  [',hidepid=invisible', '0000000000280000', '', 'nothing'],
  [',hidepid=invisible', '0000000000200000', '0', 'nothing'],
  [',hidepid=ptraceable', '0000000000200000', '0', 'hides by hidepid=ptraceable'],
  [',gid=42,hidepid=4', '0000000000200000', '7 42', 'hides by hidepid=4'],
  [',gid=42,hidepid=invisible', '0000000000200000', '7 42', 'nothing'],
  [',gid=42,hidepid=noaccess', '0000000000200000', '7 42', 'nothing'],
  [',gid=42,hidepid=invisible', '0000000000200000', '7', 'hides by hidepid=invisible'],
])('a procfs with the options "%s", for the capabilities %s and the groups "%s": %s', (...line) => {
  const [options, capabilities, groups, expected] = line;
  const hiding = hidingBy('/mnt/p', mountinfo(options), status(capabilities, groups));
  const found = hiding === undefined ? 'nothing' : `${hiding.isTotal ? 'hides' : 'denies'} by ${hiding.option}`;
  expect(found).toBe(expected);
  expect(hidingBy('/proc', mountinfo(options), status(capabilities, groups))).toBeUndefined();
});
