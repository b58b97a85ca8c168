import { describe, expect, it } from 'vitest';
import { type BpfConditions, conditions, whyNoBpf } from './availability.ts';

const good: BpfConditions = {
  kernel: '6.18.44',
  root: '/proc',
  hasSysfs: true,
  hasBtf: true,
  lockdown: 'none [integrity] confidentiality\n',
  capabilities: (1n << 21n) | 1n,
  initialPidNamespace: true,
  forcesStackLocks: false,
};

describe('whyNoBpf', () => {
  it('finds no reason on a kernel that has everything', () => {
    expect(whyNoBpf(good)).toBeUndefined();
    expect(whyNoBpf({ ...good, capabilities: (1n << 38n) | (1n << 39n), kernel: '5.11.0-rc1' })).toBeUndefined();
  });

  it.each([
    ['an old kernel', { kernel: '5.10.200' }, /^Linux 5\.10\.200 is older than 5\.11$/],
    ['an older one', { kernel: '4.18.0-553.el8_10.x86_64' }, /is older than 5\.11/],
    ['no BTF', { hasBtf: false }, /CONFIG_DEBUG_INFO_BTF/],
    [
      'no sysfs',
      { hasSysfs: false, hasBtf: false },
      /^there is no \/sys\/kernel\/btf\/vmlinux: no sysfs is mounted at \/sys$/,
    ],
    ['a lockdown', { lockdown: 'none integrity [confidentiality]\n' }, /locked down/],
    ['a missing capability', { capabilities: 1n << 38n }, /CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN, are missing/],
    [
      'the /proc of another PID namespace',
      { root: '/host/proc', initialPidNamespace: false },
      /^\/host\/proc is not of the initial PID namespace/,
    ],
  ])('names %s', (_, change, reason) => {
    expect(whyNoBpf({ ...good, ...change })).toMatch(reason);
  });

  it('reads the conditions of this host', () => {
    expect(conditions('/proc')).toMatchObject({ root: '/proc', initialPidNamespace: true });
  });
});
