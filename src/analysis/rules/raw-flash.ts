import { DISK_STUCK, LOG, OTHERS_BLOCKED } from './commands.ts';
import { lockRule } from './lock-rule.ts';
import type { Rule } from './rule.ts';

const BUSY_CHIP = 'Erasing takes long, the chip is failing, or its controller lost an interrupt.';
const NO_SPACE = 'The file system is nearly full, or the flash chip is slow or failing.';
const NEXT = [...LOG, ...OTHERS_BLOCKED];

/** Flash chips without a controller of their own (MTD), UBI volumes on them, and the file systems UBIFS and JFFS2. */
export const RAW_FLASH: readonly Rule[] = [
  {
    id: 'flash-chip-turn',
    kind: 'blocked',
    match: [['nand_get_device', 'get_chip', 'onenand_get_device', 'spi_nor_lock_and_prep', 'spi_nor_prep_and_lock']],
    waitsFor: 'its turn on a flash chip (MTD), which another task is using',
    inOrderTo: 'use a flash chip (MTD)',
    causes: BUSY_CHIP,
    stuck: DISK_STUCK,
    next: NEXT,
    source: 'drivers/mtd/nand/raw/nand_base.c: nand_get_device',
  },
  {
    id: 'flash-chip',
    kind: 'blocked',
    match: [
      [
        'nand_wait',
        'nand_wait_ready',
        'nand_wait_status_ready',
        'nand_soft_waitrdy',
        'nand_gpio_waitrdy',
        'spinand_wait',
        'onenand_wait',
        'onenand_interrupt_wait',
        'inval_cache_and_wait_for_operation',
        'do_erase_oneblock',
        'do_write_buffer',
        'spi_nor_wait_till_ready',
        'spi_nor_wait_till_ready_with_timeout',
      ],
    ],
    waitsFor: 'a flash chip (MTD) to finish an operation',
    inOrderTo: 'use a flash chip (MTD)',
    causes: BUSY_CHIP,
    stuck: DISK_STUCK,
    next: NEXT,
    source: 'drivers/mtd/nand/raw/nand_base.c: nand_wait_ready',
  },
  lockRule({
    id: 'ubi-block-lock',
    takers: ['leb_read_lock', 'leb_write_lock'],
    lock: 'rwsem',
    waitsFor: 'the lock of an erase block of a UBI volume, which another task holds',
    inOrderTo: 'use an erase block of a UBI volume',
    causes: BUSY_CHIP,
    stuck: DISK_STUCK,
    next: NEXT,
    source: 'drivers/mtd/ubi/eba.c: leb_write_lock',
  }),
  {
    id: 'ubi-free-block',
    kind: 'blocked',
    match: [['ubi_wl_get_peb', 'produce_free_peb', 'ubi_wl_flush']],
    waitsFor: 'erase blocks of a UBI device to become free',
    inOrderTo: 'get a free erase block of a UBI device',
    causes: BUSY_CHIP,
    stuck: DISK_STUCK,
    next: NEXT,
    source: 'drivers/mtd/ubi/wl.c: ubi_wl_get_peb',
  },
  {
    id: 'ubifs-commit',
    kind: 'blocked',
    match: [['ubifs_run_commit', 'wait_for_commit', 'do_commit'], /ubifs_\w+/],
    waitsFor: 'a UBIFS file system to commit its changes',
    inOrderTo: 'commit the changes of a UBIFS file system',
    causes: BUSY_CHIP,
    stuck: DISK_STUCK,
    next: NEXT,
    source: 'fs/ubifs/commit.c: ubifs_run_commit',
  },
  {
    id: 'ubifs-reserve',
    kind: 'blocked',
    match: [['make_reservation', 'reserve_space', 'ubifs_budget_space'], /ubifs_\w+/],
    waitsFor: 'space in the journal of a UBIFS file system',
    inOrderTo: 'reserve space in the journal of a UBIFS file system',
    causes: NO_SPACE,
    stuck: DISK_STUCK,
    next: NEXT,
    source: 'fs/ubifs/journal.c: make_reservation',
  },
  {
    id: 'jffs2-space',
    kind: 'blocked',
    match: [['jffs2_reserve_space', 'jffs2_reserve_space_gc', 'jffs2_do_reserve_space']],
    waitsFor: 'space on a JFFS2 file system',
    inOrderTo: 'reserve space on a JFFS2 file system',
    causes: NO_SPACE,
    stuck: DISK_STUCK,
    next: NEXT,
    source: 'fs/jffs2/nodemgmt.c: jffs2_reserve_space',
  },
];
