import type { Frame } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import { SLOW_DISK } from '../rules/causes.ts';

/** Functions of file systems without a disk of their own, and what holds up their data. */
const SERVED: readonly (readonly [functions: RegExp, causes: string])[] = [
  [
    /^fuse_\w/,
    'The FUSE daemon of the file system, or the disk or server that it uses, is slow or has stopped responding.',
  ],
  [/^nfs4?_\w/, 'The NFS server is slow, down or unreachable; a hard mount retries forever.'],
  [/^(?:cifs|smb[23]?)_\w/, 'The SMB server is slow, down or unreachable.'],
  [/^ceph_\w/, 'The Ceph cluster is slow, or does not answer.'],
  [/^(?:v9fs|p9)_\w/, 'The 9P server (on a virtual machine, its host) is slow or does not answer.'],
  [/^afs_\w/, 'The AFS server is slow, down or unreachable.'],
];

/** The causes of a wait: not the disk below, which a rule about any file system names, if the stack shows another. */
export function causesAt(frames: readonly Frame[], causes: string): string {
  if (causes !== SLOW_DISK) return causes;
  const names = frames.map(({ symbol }) => functionName(symbol));
  return SERVED.find(([functions]) => names.some((name) => functions.test(name)))?.[1] ?? causes;
}
