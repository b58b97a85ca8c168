import { expect, it } from 'vitest';
import { parseMountinfo } from '../procfs/mountinfo.ts';
import { serverOf } from './servers.ts';

it.each([
  [
    'nfs4 fs1.example.com:/srv rw,vers=4.2,hard,proto=tcp,clientaddr=10.0.0.7,addr=10.0.0.5',
    'fs1.example.com',
    '10.0.0.5',
  ],
  ['nfs [fd00::5]:/srv rw,vers=3,addr=fd00::5', '[fd00::5]', 'fd00::5'],
  ['cifs //files/share\\040one rw,vers=3.1.1,addr=10.0.0.6', 'files', '10.0.0.6'],
  ['ceph 10.0.0.1:6789,10.0.0.2:6789:/ rw,name=admin', '10.0.0.1:6789,10.0.0.2:6789', undefined],
  [
    'ceph admin@b7e1.cephfs=/ rw,mon_addr=10.0.0.1:6789/10.0.0.2:6789',
    '10.0.0.1:6789/10.0.0.2:6789',
    '10.0.0.1:6789/10.0.0.2:6789',
  ],
  ['9p 10.0.0.9 rw,access=client,trans=tcp', '10.0.0.9', undefined],
  ['9p shared rw,access=client,trans=virtio', '9p shared of the host of this virtual machine', undefined],
  ['virtiofs shared rw', 'virtiofs shared of the host of this virtual machine', undefined],
  ['afs #example.org:root.cell. rw', 'example.org', undefined],
])('the server of %s', (fields, name, addresses) => {
  const [mount] = parseMountinfo(`43 27 0:40 / /mnt rw,relatime shared:4 - ${fields}`);
  expect(mount && serverOf(mount)).toEqual({ name, addresses });
});

it.each(['ext4 /dev/sda1 rw', 'fuse.sshfs user@host:/ rw', 'nfs  rw', 'cifs odd rw', 'afs none rw'])(
  '%s has none',
  (fields) => {
    const [mount] = parseMountinfo(`43 27 0:40 / /mnt rw - ${fields}`);
    expect(mount && serverOf(mount)).toBeUndefined();
  },
);
