import { describe, expect, it } from 'vitest';
import { StackTable } from '../../../model/stack.ts';
import { fileSystemWaitOf } from './file-system-waits.ts';

/** A stack of these functions, innermost first. */
function waitOf(functions: string) {
  const text = functions.split(' < ').map((name) => `[<0>] ${name}+0x1/0x2`);
  return fileSystemWaitOf({ stack: { value: new StackTable().intern(text.join('\n')) } });
}

describe('a task waits inside a file system', () => {
  it.each([
    ['request_wait_answer < __fuse_simple_request < fuse_do_getattr', 'fuse.sshfs', 'ext4'],
    ['schedule < request_wait_answer < __fuse_simple_request < fuse_lookup_name', 'virtiofs', 'fusectl'],
    ['rpc_wait_bit_killable < __rpc_execute < nfs4_call_sync_sequence [nfsv4] < nfs4_proc_getattr', 'nfs4', 'nfsd'],
    ['wait_for_response < compound_send_recv < smb2_compound_op < smb2_query_path_info', 'cifs', 'nfs'],
    ['ceph_mdsc_wait_request < ceph_mdsc_do_request < __ceph_do_getattr', 'ceph', 'xfs'],
    ['p9_client_rpc.isra.0 < p9_client_walk < v9fs_vfs_lookup', '9p', 'ext4'],
    [
      'io_schedule < folio_wait_bit_common < filemap_update_page < filemap_read < xfs_file_buffered_read',
      'xfs',
      'ext4',
    ],
    ['__filemap_get_folio < ext4_da_write_begin < generic_perform_write', 'ext4', 'xfs'],
    ['submit_bio_wait < iomap_dio_zero < __iomap_dio_rw < ext4_file_read_iter', 'ext4', 'xfs'],
  ])('in %s: of type %s, not %s', (functions, type, other) => {
    const types = waitOf(functions)?.types;
    expect([types?.test(type), types?.test(other)]).toEqual([true, false]);
  });

  it.each([
    'percpu_rwsem_wait < mnt_want_write < path_openat < do_filp_open',
    'percpu_rwsem_wait < __percpu_down_read < vfs_write < ksys_write',
    '__sb_start_write < mnt_want_write < filename_create',
    'percpu_rwsem_wait < lo_rw_aio.isra.0 < loop_process_work < process_one_work',
    'schedule < percpu_rwsem_wait < ext4_page_mkwrite < do_page_mkwrite < handle_mm_fault',
  ])('that is frozen: %s', (functions) => {
    expect(waitOf(functions)).toMatchObject({ frozen: true });
  });

  it.each([
    ['the pages of any', 'folio_wait_bit_common < filemap_read < vfs_read', {}],
    [
      'a page fault',
      'folio_wait_bit_common < filemap_fault < __do_fault < handle_mm_fault < exc_page_fault',
      { fault: true },
    ],
  ])('%s', (_, functions, expected) => {
    const { function: name, types, ...more } = waitOf(functions) ?? {};
    expect([name, types, more]).toEqual(['folio_wait_bit_common', undefined, expected]);
  });
});

it('a task that waits for the lookup of another one waits inside a file system, of whichever type', () => {
  const wait = { function: 'd_alloc_parallel', types: undefined, sharesLookup: true };
  expect(waitOf('d_alloc_parallel < __lookup_slow < walk_component < path_lookupat')).toEqual(wait);
});

describe('a task does not wait inside a file system', () => {
  it.each([
    [
      'that waits for memory',
      'throttle_direct_reclaim < __alloc_pages_slowpath < __filemap_get_folio < ext4_da_write_begin',
    ],
    ['that idles as a FUSE daemon', 'fuse_dev_do_read < fuse_dev_read < vfs_read'],
    [
      'that waits for the lock of a directory',
      'rwsem_down_write_slowpath < down_write < open_last_lookups < path_openat',
    ],
    ['that waits for the lock of a file of FUSE', 'fuse_cache_write_iter < vfs_write < ksys_write'],
    ['that freezes one', 'percpu_rwsem_wait < percpu_down_write < freeze_super < do_vfs_ioctl'],
    ['that moves to another cgroup', 'percpu_rwsem_wait < cgroup_attach_lock < cgroup_procs_write < vfs_write'],
    ['that reads a block device', 'folio_wait_bit_common < filemap_read < blkdev_read_iter < vfs_read'],
    ['that reads a pipe', 'anon_pipe_read < vfs_read < ksys_read'],
    ['without a stack', ''],
  ])('%s', (_, functions) => {
    expect(waitOf(functions)).toBeUndefined();
  });
});
