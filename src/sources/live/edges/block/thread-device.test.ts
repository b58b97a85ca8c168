import { describe, expect, it } from 'vitest';
import { deviceOfThread, loopOfThread } from './thread-device.ts';

describe('the device of a kernel thread', () => {
  it.for([
    ['jbd2/sda1-8', { names: ['sda1', 'sda1-8'] }],
    ['jbd2/dm-3-8', { names: ['dm-3', 'dm-3-8'] }],
    // A journal on a device of its own.
    ['jbd2/sdb1', { names: ['sdb1'] }],
    ['jbd2/dm-4', { names: ['dm', 'dm-4'] }],
    ['jbd2/cciss!c0d0p1-8', { names: ['cciss!c0d0p1', 'cciss!c0d0p1-8'] }],
    ['jbd2/nvme0n1p12-8', { names: ['nvme0n1p12', 'nvme0n1p12-8'] }],
    ['xfsaild/dm-3', { names: ['dm-3'] }],
    ['xfsaild/nvme0n1p1', { names: ['nvme0n1p1'] }],
    ['kworker/1:2+xfs-conv/sdb', { names: ['sdb'] }],
    ['kworker/u8:1+flush-7:0', { number: '7:0' }],
    ['flush-8:16', { number: '8:16' }],
    ['kworker/3:1H+kdmflush/253:0', { number: '253:0' }],
    ['dmcrypt_write/253:1', { number: '253:1' }],
    ['f2fs_ckpt-259:3', { number: '259:3' }],
    ['md0_raid1', { names: ['md0'] }],
    ['md127_resync', { names: ['md127'] }],
  ] as const)('is in its name: %s', ([comm, device]) => {
    expect(deviceOfThread(comm)).toEqual(device);
  });

  it.for([
    // Idle since: a worker's last work.
    'kworker/u8:1-flush-7:0',
    'kworker/u8:1+events',
    // Not a block device: NFS, FUSE.
    'kworker/u8:1+flush-0:45',
    'kworker/u8:1+flush-btrfs-1',
    'kswapd0',
    'ext4lazyinit',
    'xfs_mru_cache',
    'md',
    '',
  ])('is unknown: %j', (comm) => {
    expect(deviceOfThread(comm)).toBeUndefined();
  });

  it.for([
    // Of nvme0n1, or of nvme0n1p1.
    ['xfsaild/nvme0n1', undefined],
    ['jbd2/mmcblk0p12', undefined],
    ['jbd2/nvme0n1p1-', { names: ['nvme0n1p1'] }],
    ['jbd2/vda1-12345', { names: ['vda1'] }],
  ] as const)('is not guessed from a name that may be cut: %s', ([comm, device]) => {
    expect(deviceOfThread(comm)).toEqual(device);
  });
});

describe('the loop device of a worker', () => {
  it.for([
    ['loop0', 'loop0'],
    ['kworker/u8:0+loop12', 'loop12'],
    ['kworker/u8:0-loop12', undefined],
    ['kworker/u8:0+loop12x', undefined],
    ['loopback', undefined],
  ] as const)('is in its name: %s', ([comm, loop]) => {
    expect(loopOfThread(comm)).toBe(loop);
  });
});
