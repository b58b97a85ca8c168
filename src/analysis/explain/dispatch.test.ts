import { describe, expect, it } from 'vitest';
import { dispatchedIn } from './dispatch.ts';

describe('the functions that the core of the kernel calls', () => {
  it.each([
    ['a file system', ['fuse_file_write_iter'], ['f', 'fuse_file_write_iter', 'vfs_write', 'ksys_write']],
    ['an ioctl', ['hot_remove_disk'], ['f', 'hot_remove_disk', 'md_ioctl', 'blkdev_ioctl', 'sys_ioctl']],
    ['an ioctl in itself', ['fd_ioctl'], ['__mutex_lock', 'fd_ioctl', 'blkdev_ioctl', 'vfs_ioctl', 'sys_ioctl']],
    ['a driver', ['cxusb_probe'], ['f', 'cxusb_probe', 'usb_probe_interface', 'really_probe', 'hub_event']],
    [
      'a file of sysfs and a driver',
      ['unbind_store', 'nvme_remove'],
      ['f', 'nvme_remove', 'pci_device_remove', 'unbind_store', 'drv_attr_store', 'vfs_write'],
    ],
    [
      'a file on another one',
      ['ovl_write_iter'],
      ['f', 'ext4_file_write_iter', 'vfs_iter_write', 'ovl_write_iter', 'vfs_write'],
    ],
    ['nothing', [], ['f', 'g', 'h']],
  ])('%s', (_, functions, names) => {
    expect(dispatchedIn(names)).toEqual(functions);
  });
});
