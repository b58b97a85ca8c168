import { describe, expect, it } from 'vitest';
import { parseFrames } from '../../model/stack.ts';
import { explain } from '../explain.ts';

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
    ['rescan_store+0x1/0x2 [thunderbolt]', /PCI/],
    ['wait_for_response+0x1/0x2 [pci_hyperv]', /SMB/],
    ['raw_sendmsg+0x1/0x2', /CAN/],
  ])('%s is not taken for it', (frame, wrong) => {
    const text = `[<0>] schedule+0x1/0x2\n[<0>] __mutex_lock+0x1/0x2\n[<0>] ${frame}`;
    expect(explain({ id: 0, frames: parseFrames(text) }).waitsFor).not.toMatch(wrong);
  });
});
