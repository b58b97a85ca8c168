import { describe, expect, it } from 'vitest';
import { toldIn } from '../../../test/found.ts';

function told(text: string): string[] {
  return toldIn(text.split('\n'));
}

const EXCEPTION = `cpu 0x2: Vector: 300 (Data Access) at [c0000000fbf1b7a0]
    pc: c0000000004c2e4c: ext4_find_entry+0x1ac/0x6f0
    lr: c0000000004c2d7c: ext4_search_dir+0xdc/0x6f0
    sp: c0000000fbf1ba30
   msr: 9000000000009033
   dar: 18
 dsisr: 40000000
  current = 0xc0000000f9f30000
  paca    = 0xc00000000fffe000\t irqmask: 0x03\t irq_happened: 0x01
    pid   = 2417, comm = find
Linux version 5.4.0-rc1 (gcc version 8.3.0) #1 SMP
`;
const TRACE = `[c0000000fbf1ba30] c0000000004c2d7c ext4_find_entry+0xdc/0x6f0 (unreliable)
[c0000000fbf1bb10] c0000000004c35ec ext4_lookup+0x7c/0x2e0 [ext4]
[c0000000fbf1bb70] c0000000003b1f54 __lookup_slow+0xa4/0x1b0
[c0000000fbf1be20] c00000000000b278 system_call+0x5c/0x70
--- Exception: c00 (System Call) at 00007fff9f2a5b14
SP (7ffff0a4f0e0) is in userspace
`;

describe('the debugger xmon of PowerPC', () => {
  it.each([
    ['as it stops', `${EXCEPTION}enter ? for help\n${TRACE}2:mon>`],
    ['by its commands', `2:mon> e\n${EXCEPTION}2:mon> t\n${TRACE}2:mon>`],
    ['without indent', `2:mon> e\n${EXCEPTION.replace(/^ +/gm, '')}2:mon> t\n${TRACE}`],
  ])('has one stack of the task of the CPU: %s', (_, text) => {
    expect(told(text)).toEqual(['find 2417 R: ext4_find_entry ext4_lookup __lookup_slow system_call']);
  });

  it('divides stacks by its prompts', () => {
    const other =
      '[c0000000fbf1bb10] c0000000004c35ec f_wait+0x7c/0x2e0\n[c0000000fbf1be20] c00000000000b278 kthread+0x5c/0x70';
    expect(told(`0:mon> t\n${other}\n0:mon> c3\n3:mon> t\n${other}`)).toEqual([': f_wait kthread', ': f_wait kthread']);
  });

  it('may have something in a stack that is no function, and the innermost function twice', () => {
    const text = `5:mon> t
[link register   ] c00000000053ca70 tlb_finish_mmu+0x80/0xd0
[c0000000072878d0] c00000000053ca54 tlb_finish_mmu+0x64/0xd0 (unreliable)
[c00000001fb4ba00] c0000000001a0000 (unreliable)
[c000000007287900] c000000000539424 exit_mmap+0xe4/0x2a0
[c000000007287e10] c00000000000c53c system_call_common+0xec/0x250`;
    expect(told(text)).toEqual([': tlb_finish_mmu exit_mmap system_call_common']);
  });
});
