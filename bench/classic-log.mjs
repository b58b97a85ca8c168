// A classic log of a host with 500 processes, of which 20 change their stack between two samples.
import { closeSync, openSync, writeSync } from 'node:fs';

const PROCESSES = 500;
const CHANGES = 20;
const STACKS = 200;
const BLOCKED = [
  'percpu_rwsem_wait+0x15f/0x1d0 mnt_want_write+0x96/0xc0 path_openat+0x4cf/0x12f0 do_filp_open+0x106/0x1c0',
  'io_schedule+0x46/0x70 folio_wait_bit_common+0x13d/0x350 filemap_read+0x36b/0x380 vfs_read+0x201/0x350',
];
const IDLE = 'ep_poll+0x2a4/0x340 do_epoll_wait+0xb0/0xd0 __x64_sys_epoll_wait+0x60/0x100';
const ENTRY = 'do_syscall_64+0x5d/0x90 entry_SYSCALL_64_after_hwframe+0x6e/0xd8';

const linesOf = (symbols) => symbols.split(' ').map((symbol) => `[<0>] ${symbol}`);

/** Writes about so many bytes. */
export function writeClassicLog(file, bytes) {
  let seed = 42;
  const random = (below) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const stacks = Array.from({ length: STACKS }, (_, at) =>
    [...linesOf(at < STACKS - 20 ? `f${at}+0x10/0x20 ${IDLE}` : (BLOCKED[at % 2] ?? '')), ...linesOf(ENTRY)].join('\n'),
  );
  const tasks = Array.from({ length: PROCESSES }, (_, at) => ({
    line: (state) =>
      `PID: ${String(3 * at + 1).padStart(5)}   State: ${state.padStart(2)}   Start Time: 2026/09/30 15:09:59   ` +
      `Cmd: /usr/sbin/daemon-${at} --config /etc/daemon/${at % 30}.conf \n`,
    // A few stacks have most of the tasks.
    stack: random(1 + random(STACKS - 20)),
  }));
  const fd = openSync(file, 'w');
  for (let [written, minute] = [0, 0]; written < bytes; minute++) {
    const groups = grouped(tasks);
    const blocks = [...groups].map(([stack, members]) => {
      const state = stack < STACKS - 20 ? 'S' : 'D';
      return `${members.map(({ line }) => line(state)).join('')}Stack:\n${stacks[stack]}\n\n`;
    });
    const time = new Date(Date.UTC(2026, 8, 30) + 60_000 * minute).toUTCString().split(/[ ,]+/);
    const [weekday, day, month, year, clock] = time;
    written += writeSync(fd, `zzz <${weekday} ${month} ${day} ${clock} UTC ${year} - db1\n\n${blocks.join('')}`);
    for (let change = 0; change < CHANGES; change++) tasks[random(PROCESSES)].stack = random(STACKS);
  }
  closeSync(fd);
}

function grouped(tasks) {
  const groups = new Map();
  for (const task of tasks) groups.set(task.stack, [...(groups.get(task.stack) ?? []), task]);
  return groups;
}
