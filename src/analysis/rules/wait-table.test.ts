import { describe, expect, it } from 'vitest';
import { parseFrames } from '../../model/stack.ts';
import { explain } from '../explain/explain.ts';
import { BUG } from './causes.ts';
import { RULES } from './index.ts';
import { namesOf } from './rule.ts';
import { rulesInCallers } from './waits-in-callers.ts';

function findingOf(...functions: string[]) {
  const text = functions.map((name) => `[<0>] ${name}+0x10/0x20`).join('\n');
  return explain({ id: 0, frames: parseFrames(text) });
}

describe('a table of waits', () => {
  it('says what a function waits for, and what for', () => {
    const { kind, waitsFor } = findingOf('schedule', 'vga_get', 'vga_arb_write', 'vfs_write', '__x64_sys_write');
    expect(kind).toBe('blocked');
    expect(waitsFor).toBe('another program to release the legacy VGA registers (vgaarb), in order to write');
  });

  it('says nothing of locks in the same function, nor of functions that it calls', () => {
    expect(findingOf('__mutex_lock', 'mutex_lock', 'vga_get').waitsFor).toBe('a mutex that vga_get takes');
    expect(findingOf('schedule', 'unheard_of', 'vga_get').waitsFor).not.toMatch(/release the legacy/);
  });

  it('gives the causes and the advice that its rows share', () => {
    expect(findingOf('schedule', 'obd_get_request_slot').next).toContain('lctl get_param *.*.state');
    expect(findingOf('schedule', 'spl_panic').causes).toBe(BUG);
    expect(findingOf('schedule', 'lbug_with_loc').causes).toBe(BUG);
  });

  it('names a function in one row only', () => {
    const names = RULES.filter(({ id }) => id.startsWith('wait-for-')).flatMap(({ match: [first = []] }) =>
      namesOf(first),
    );
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });
});

describe('a rule about functions into which another is built', () => {
  it('must exist', () => {
    expect(() => rulesInCallers([])).toThrow('no rule');
  });
});

describe('a reader or thread that has nothing to do', () => {
  it('idles, but not under a lock', () => {
    expect(findingOf('schedule', 'toggle_allocation_gate', 'process_one_work', 'worker_thread').kind).toBe('idle');
    expect(findingOf('schedule', 'wait_woken', 'l2cap_sock_accept', 'do_accept').kind).toBe('idle');
    const locked = findingOf('__mutex_lock', 'mutex_lock', 'toggle_allocation_gate', 'process_one_work');
    expect([locked.kind, locked.waitsFor]).toEqual([
      'blocked',
      'a mutex that another task holds, in order to check allocations (KFENCE)',
    ]);
  });
});

describe('a function whose name drivers give to others', () => {
  it.each([
    ['speed_show+0x1/0x2 [thunderbolt]', /rtnl/],
    ['evict+0x1/0x2 [msm]', /inode/],
    ['m_start+0x1/0x2 [other]', /mount|mmap|kernel modules/],
    ['online_store+0x1/0x2 [other]', /device|CPU/],
    ['state_store+0x1/0x2 [rbd]', /suspend/],
    ['t_start+0x1/0x2 [other]', /tracing/],
    ['get_termios+0x1/0x2 [other]', /terminal/],
    ['remove_one+0x1/0x2 [other]', /debugfs/],
    ['enabled_store+0x1/0x2 [other]', /khugepaged to/],
    ['wait_for_space+0x1/0x2 [other]', /pipe/],
    ['rescan_store+0x1/0x2 [thunderbolt]', /PCI/],
    ['wait_for_response+0x1/0x2 [pci_hyperv]', /SMB/],
    ['raw_sendmsg+0x1/0x2', /CAN/],
    ['check_state+0x1/0x2 [other]', /cxlflash/],
    ['range_lock+0x1/0x2 [other]', /Lustre/],
    ['do_crypt+0x1/0x2 [other]', /dm-integrity/],
    ['set_link_state+0x1/0x2 [dummy_hcd]', /ibmvnic/],
  ])('%s is not taken for it', (frame, wrong) => {
    for (const lock of ['\n[<0>] __mutex_lock+0x1/0x2', '']) {
      const text = `[<0>] schedule+0x1/0x2${lock}\n[<0>] ${frame}`;
      expect(explain({ id: 0, frames: parseFrames(text) }).waitsFor).not.toMatch(wrong);
    }
  });
});
