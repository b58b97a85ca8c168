import { describe, expect, it } from 'vitest';
import { containerOf, describeContainer } from './container.ts';

const ID = '0123456789abcdef'.repeat(4);
const POD = '11111111-2222-3333-4444-555555555555';

describe('containerOf', () => {
  it.each([
    ['docker on cgroupfs', `/docker/${ID}`, { runtime: 'docker', id: ID }],
    ['docker on systemd', `/system.slice/docker-${ID}.scope`, { runtime: 'docker', id: ID }],
    [
      'a unit inside of a container',
      `/system.slice/docker-${ID}.scope/system.slice/cron.service`,
      { runtime: 'docker', id: ID },
    ],
    ['podman', `/machine.slice/libpod-${ID}.scope/container`, { runtime: 'libpod', id: ID }],
    ['podman on cgroupfs', `/libpod_parent/${ID}`, { runtime: 'libpod', id: ID }],
    ['containerd on cgroupfs', `/default/${ID}`, { id: ID }],
    ['Kubernetes on cgroupfs', `/kubepods/burstable/pod${POD}/${ID}`, { id: ID, pod: POD }],
    [
      'Kubernetes with containerd on systemd',
      `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${POD.replaceAll('-', '_')}.slice/cri-containerd-${ID}.scope`,
      { runtime: 'cri-containerd', id: ID, pod: POD },
    ],
    [
      'Kubernetes with CRI-O',
      `/kubepods.slice/kubepods-pod${POD.replaceAll('-', '_')}.slice/crio-${ID}.scope`,
      { runtime: 'crio', id: ID, pod: POD },
    ],
    ['a pod without a container', `/kubepods/besteffort/pod${POD}`, { pod: POD }],
    ['lxc', '/lxc.payload.web/init.scope', { runtime: 'lxc', id: 'web' }],
    ['older lxc', '/lxc/web', { runtime: 'lxc', id: 'web' }],
    ['a machine of systemd', '/machine.slice/machine-my\\x2dhost.scope', { runtime: 'machine', id: 'my-host' }],
  ])('knows %s', (_, path, container) => {
    expect(containerOf(path)).toEqual(container);
  });

  it.each([
    '/',
    '',
    '/system.slice/ssh.service',
    `/machine.slice/libpod-conmon-${ID}.scope`,
    `/a/${ID.slice(1)}`,
    '/lxc.monitor.web',
  ])('sees none in %s', (path) => {
    expect(containerOf(path)).toBeUndefined();
  });
});

describe('describeContainer', () => {
  it('cuts long ids, and names the pod first', () => {
    expect(describeContainer({ id: ID, pod: POD, runtime: 'crio' })).toBe(`pod ${POD} crio 0123456789ab`);
    expect(describeContainer({ runtime: 'lxc', id: 'web' })).toBe('lxc web');
    expect(describeContainer({ id: ID })).toBe('container 0123456789ab');
  });
});
