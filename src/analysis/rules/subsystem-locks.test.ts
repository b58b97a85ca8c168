import { describe, expect, it } from 'vitest';
import { parseFrames } from '../../model/stack.ts';
import { explain } from '../explain/explain.ts';

const MUTEX = ['__schedule', 'schedule', 'schedule_preempt_disabled', '__mutex_lock'];
const WRITE = ['__schedule', 'schedule', 'rwsem_down_write_slowpath', 'down_write'];

function saidOf(functions: readonly string[]): string {
  const lines = functions.map((name) => `[<0>] ${name}+0x10/0x20`);
  return explain({ id: 0, frames: parseFrames(lines.join('\n')) }, 'D').waitsFor;
}

describe('a wait that only its function tells', () => {
  it('names both files of a clone, and no rename', () => {
    const said = saidOf([...WRITE, 'lock_two_nondirectories', 'btrfs_remap_file_range', 'vfs_dedupe_file_range']);
    expect(said).toMatch(/one of the two files.*clone or deduplicate/);
    expect(said).not.toMatch(/rename/);
  });

  it('does not serve a client where the NFS server is stopped or configured', () => {
    for (const taker of ['nfsd_shutdown_threads', 'nfsd_nl_listener_get_doit', 'nfsd_nl_version_set_doit']) {
      const said = saidOf([...MUTEX, taker, 'genl_rcv_msg', '__x64_sys_sendmsg']);
      expect(said).toMatch(/nfsd_mutex/);
      expect(said).not.toMatch(/serve an NFS client/);
    }
  });

  it('tells fs-verity from dm-verity, whose works share a name', () => {
    const said = saidOf(['io_schedule', 'do_read_cache_page', 'verify_page', 'fsverity_verify_bio', 'verity_work']);
    expect(said).toMatch(/fs-verity/);
    expect(said).not.toMatch(/dm-verity/);
  });

  it('tells the locks of an answer of a Ceph server apart by their kind', () => {
    const outer = ['handle_reply', 'mds_dispatch', 'ceph_con_workfn', 'process_one_work'];
    expect(saidOf([...WRITE, ...outer])).toMatch(/snapshots.*snap_rwsem/);
    expect(saidOf([...MUTEX, ...outer])).toMatch(/session with a Ceph MDS/);
  });

  it('removes the files of a cgroup that is removed, and does not create them', () => {
    const removal = ['cgroup_addrm_files', 'css_clear_dir', 'cgroup_destroy_locked', 'cgroup_rmdir'];
    const said = saidOf([...WRITE, 'kernfs_remove_by_name_ns', ...removal]);
    expect(said).not.toMatch(/create/);
  });
});
