import type { EventKind } from '../model/event.ts';

/** The kinds that are lines of the kernel log. */
type KernelEventKind = Exclude<EventKind, 'trigger' | 'calm' | 'lost'>;

/** The part of the kernel, the device or the function that prints the line. */
const FROM = [
  String.raw`[A-Za-z_][\w.-]{0,30}(?::\d{1,6})?`,
  'NMI watchdog',
  String.raw`[A-Z][\w-]{1,20}(?: [a-z]{1,10})? ?\([^)]{1,80}\)`,
  String.raw`(?:sd|sr|nvme) \S{1,32}`,
].join('|');

/** How the lines begin, behind what prints them; by their kinds. */
const BEGINNINGS: readonly (readonly [KernelEventKind, readonly string[]])[] = [
  [
    // kernel/hung_task.c
    'hung-task',
    [
      String.raw`INFO: task .{1,64}:\d{1,10} (?:<.{0,20}> )?blocked (?:for more than|in I\/O wait)`,
      'Future hung task reports are suppressed',
      'Kernel panic - not syncing: hung_task: blocked tasks',
    ],
  ],
  [
    // kernel/watchdog.c, kernel/watchdog_perf.c, arch/powerpc/kernel/watchdog.c, kernel/workqueue.c
    'lockup',
    [
      String.raw`BUG: (?:soft|workqueue) lockup\b`,
      'Watchdog detected [Hh]ard LOCKUP',
      String.raw`(?:CPU \d{1,5} )?(?:self-)?detected [Hh]ard LOCKUP`,
      'Kernel panic - not syncing: (?:softlockup|[Hh]ard LOCKUP)',
    ],
  ],
  [
    // kernel/rcu/tree_stall.h, kernel/rcu/tree_exp.h, kernel/rcu/tasks.h
    'rcu-stall',
    [
      String.raw`INFO: rcu\w{0,40} (?:self-)?detected (?:expedited )?stalls? on\b`,
      String.raw`rcu\w{0,40} kthread starved for\b`,
      String.raw`rcu\w{0,40} kthread timer wakeup didn't happen for\b`,
    ],
  ],
  [
    // block/blk-core.c, fs/buffer.c, fs/ext4, fs/xfs, fs/btrfs, drivers/nvme, drivers/scsi, drivers/ata, mm/page_io.c
    'io-error',
    [
      String.raw`(?:[\w/ -]{1,40} )?error, dev \S{1,64}, sector \d`,
      String.raw`(?:(?:Buffer|metadata|log) )?I\/O error\b`,
      String.raw`(?:EXT4|JBD2|BTRFS|F2FS|FAT)(?:-fs)? (?:error|critical)\b`,
      String.raw`(?:EXT4-fs|XFS|BTRFS|F2FS-fs)\b.{0,100}(?:[Rr]emounting filesystem read-only|forced readonly|[Ss]hut(?:ting)? down|Corruption)`,
      'Aborting journal on device',
      String.raw`I\/O (?:tag )?\d{1,10} .{0,60}timeout`,
      String.raw`\[\w{1,16}\] (?:tag#\d{1,6} )?FAILED Result:`,
      String.raw`ata\d{1,3}(?:\.\d{1,3})?: (?:failed command|exception Emask)`,
      '(?:Read|Write)-error on swap-device',
      'lost (?:async )?page write due to',
      'rejecting I/O to (?:offline|dead) device',
    ],
  ],
  [
    // net/sunrpc/clnt.c
    'nfs',
    [String.raw`server \S{1,255} (?:not responding, (?:still trying|timed out)|OK)\s{0,4}$`],
  ],
  [
    // mm/oom_kill.c
    'oom',
    [
      '.{1,64} invoked oom-killer:',
      String.raw`(?:Memory cgroup out of memory|Out of memory)\b.{0,40}: (?:Kill|OOM victim)`,
      'Out of memory and no killable processes',
      'oom_reaper: unable to reap pid',
      'Kernel panic - not syncing: .{0,40}[Oo]ut of memory',
    ],
  ],
  [
    // kernel/power/process.c, kernel/power/suspend.c
    'freezer',
    [
      String.raw`Freezing (?:of )?(?:user space|remaining freezable|tasks)\b`,
      'Restarting (?:tasks|kernel threads) ?\\.{3}',
      '(?:suspend|hibernation): (?:hibernation )?(?:entry|exit)|suspend (?:entry|exit)',
    ],
  ],
];

const PATTERNS = BEGINNINGS.map(([kind, all]) => ({
  kind,
  pattern: new RegExp(`^\\s{0,4}(?:(?:${FROM}): ){0,3}(?:${all.join('|')})`),
}));

/** Every line of a kind has one of these. Most lines have none, and a log has millions. */
const SIGN =
  /blocked |hung|LOCKUP|lockup|detected|kthread|rror|journal|I\/O|FAILED|failed command|Emask|page write|read-?only|hut|Corruption|server |oom|ut of memory|Freezing|Restarting|suspend |hibernation/;
/** In a frame of a stack, of which a text has most of all, and in few lines of these kinds. */
const PLACE = '+0x';
const WITH_PLACE = /LOCKUP|rror/;
const LONGEST = 1000;

/** Whether a line, with its prefix or without, may be of one of the kinds: wrong about few lines, and cheap. */
export function mayBeKernelEvent(line: string): boolean {
  return (line.includes(PLACE) ? WITH_PLACE : SIGN).test(line);
}

/** What a line of the kernel log, without its prefix, is about; undefined for most lines. */
export function kernelEventKind(line: string): KernelEventKind | undefined {
  if (!mayBeKernelEvent(line)) return undefined;
  const text = line.length > LONGEST ? line.slice(0, LONGEST) : line;
  return PATTERNS.find(({ pattern }) => pattern.test(text))?.kind;
}
