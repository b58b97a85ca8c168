import { describe, expect, it } from 'vitest';
import { cgroupPattern } from './cgroup-pattern.ts';

const ID = '0123456789abcdef'.repeat(4);
const POD = '11111111-2222-3333-4444-555555555555';
const IN_POD = `/kubepods.slice/kubepods-pod${POD.replaceAll('-', '_')}.slice/cri-containerd-${ID}.scope`;

describe('cgroupPattern', () => {
  it.each([
    ['/system.slice/a.service', '/system.slice/a.service'],
    ['/system.slice', '/system.slice/a.service'],
    ['/system.slice/', '/system.slice/a.service'],
    ['/system.slice/*', '/system.slice/a.service/below'],
    ['/*/a.service', '/system.slice/a.service'],
    ['**/a.service', '/system.slice/a.slice/a.service'],
    ['/', '/anything'],
    ['a.service', '/system.slice/a.service'],
    ['user-*.slice', '/user.slice/user-1000.slice/session-1.scope'],
    ['{a,b}.service', '/b.service'],
    ['.hidden', '/.hidden'],
    ['machine-my\\x2dhost.scope', '/machine.slice/machine-my\\x2dhost.scope'],
    [ID.slice(0, 12), `/docker/${ID}`],
    [`docker://${ID}`, `/docker/${ID}`],
    ['0', IN_POD],
    [POD.slice(0, 8), IN_POD],
    [POD.replaceAll('-', '_'), IN_POD],
  ])('%s takes %s', (pattern, path) => {
    expect(cgroupPattern(pattern)(path)).toBe(true);
  });

  it.each([
    ['/system.slice', '/user.slice'],
    ['/system.slice', '/a/system.slice'],
    ['/system.*', '/system/a'],
    ['/*', '/'],
    ['a', '/abc.service'],
    ['a.service', '/aXservice'],
    [ID.slice(1, 12), `/docker/${ID}`],
    ['2222', IN_POD],
  ])('%s does not take %s', (pattern, path) => {
    expect(cgroupPattern(pattern)(path)).toBe(false);
  });
});
