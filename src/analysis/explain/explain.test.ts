import { describe, expect, it } from 'vitest';
import { parseFrames, type Stack } from '../../model/stack.ts';
import type { State } from '../../model/task.ts';
import { functionName } from '../function-name.ts';
import { OTHERS_BLOCKED } from '../rules/commands.ts';
import { RUNS_IN_KERNEL, WAITS_FOR_UNKNOWN } from '../rules/general.ts';
import { HOLDER } from '../rules/lock-rule.ts';
import type { Rule, Step } from '../rules/rule.ts';
import { explain } from './explain.ts';
import { innerEnd } from './inner-end.ts';
import { Matcher } from './match.ts';
import { sleepingPrimitive } from './sleeping-primitives.ts';

function stackOf(...symbols: string[]): Stack {
  return { id: 0, frames: symbols.map((symbol) => ({ symbol, raw: symbol })) };
}

describe('explain', () => {
  it('gives a stack object the same finding each time', () => {
    const stack = stackOf('do_wait', 'kernel_wait4');
    expect(explain(stack)).toBe(explain(stack));
  });

  it('lets the frozen file system win over the page fault it happens in, and names the others', () => {
    const finding = explain(
      stackOf('percpu_rwsem_wait', 'ext4_page_mkwrite', 'do_page_mkwrite', 'handle_mm_fault', 'do_user_addr_fault'),
    );
    expect([finding.rule, finding.kind, finding.frame?.symbol]).toEqual([
      'fs-frozen-fault',
      'blocked',
      'ext4_page_mkwrite',
    ]);
    expect(finding.others.map(({ rule }) => rule)).toContain('lock-percpu-rwsem');
  });

  it('lets the FUSE daemon win over the path lookup', () => {
    expect(
      explain(stackOf('request_wait_answer', 'fuse_lookup', '__lookup_slow', 'walk_component', 'path_lookupat')).rule,
    ).toBe('fuse-request');
  });

  it('knows a lock by who takes it, where /proc leaves out the functions of locks', () => {
    const finding = explain(stackOf('madvise_do_behavior', 'do_madvise', '__x64_sys_madvise'), 'D');
    expect([finding.rule, finding.kind]).toEqual(['memory-lock-advise', 'blocked']);
  });

  it('warns of a page lock that the task holds itself, and names no holder where it does not', () => {
    const writing = ['folio_wait_bit_common', '__folio_lock', 'extent_write_cache_pages', 'do_writepages'];
    expect(explain(stackOf(...writing, 'vfs_fsync_range')).waitsFor).not.toMatch(/holds|itself/);
    expect(explain(stackOf(...writing, 'btrfs_do_readpage', 'btrfs_read_folio')).waitsFor).toContain(
      'which it may hold itself (further out it is in btrfs_do_readpage',
    );
  });

  it('takes no pointer to a function, nor a clock, for what a task of an old kernel waits in', () => {
    const text = [
      'do_gettimeofday+0x40/0x90',
      'sync_buffer+0x0/0x3f',
      'io_schedule+0x3f/0x67',
      'sync_buffer+0x3b/0x3f',
      '__wait_on_bit+0x40/0x6e',
      'keventd_create_kthread+0x0/0xc4',
      'some_commit+0x543/0x1066',
    ].join('\n');
    const frames = parseFrames(text.replace(/^/gm, '[<0>] '));
    expect(explain({ id: 0, frames }).waitsFor).toBe('a block of the disk to be read or written, in some_commit');
  });

  it('does not call a worker idle that is at work', () => {
    expect(explain(stackOf('worker_thread', 'kthread')).kind).toBe('idle');
    const atWork = explain(stackOf('schedule', 'unheard_of', 'process_one_work', 'worker_thread', 'kthread'));
    expect([atWork.kind, atWork.rule, atWork.frame?.symbol, atWork.next]).toEqual([
      'unexplained',
      undefined,
      'unheard_of',
      WAITS_FOR_UNKNOWN,
    ]);
  });

  it('says which function takes a lock of which nothing is known', () => {
    expect(explain(stackOf('__mutex_lock', 'unheard_of')).waitsFor).toBe('a mutex that unheard_of takes');
  });

  it('says which function takes it where a known one further out tells what for', () => {
    expect(explain(stackOf('__mutex_lock', 'unheard_of', 'hwmon_thermal_get_temp')).waitsFor).toBe(
      'a mutex that unheard_of takes, in order to read or set a value of a sensor (hwmon, thermal)',
    );
  });

  it('says that a disk limits I/O where the stack does not tell by what', () => {
    expect(explain(stackOf('io_schedule', 'rq_qos_wait')).waitsFor).toMatch(/^its turn to do I\/O: /);
  });

  it('names a lock of the whole host, and what the task needs it for', () => {
    expect(explain(stackOf('__mutex_lock', 'rtnl_lock', 'unheard_of', 'cleanup_net')).waitsFor).toBe(
      'the lock of the network configuration (rtnl), which another task holds, in order to tear down network namespaces',
    );
  });

  it('lets a function further out tell only the purpose where those inside of it are unknown', () => {
    const told = (...symbols: string[]) => {
      const { kind, waitsFor, rule } = explain(stackOf('schedule', ...symbols));
      return [kind, rule, waitsFor];
    };
    expect(told('schedule_timeout', 'unheard_of', 'call_driver_probe', 'really_probe')).toEqual([
      'blocked',
      'device-probe',
      'something that unheard_of waits for, in order to probe a device',
    ]);
    expect(told('wait_for_completion', 'unheard_of', 'unknown_too', '__dm_suspend')[2]).toBe(
      'the completion of something that unheard_of started, in order to suspend a device-mapper device',
    );
  });

  it('says in which file, system call or worker an unknown function is', () => {
    const told = (...symbols: string[]) => explain(stackOf('__mutex_lock', 'unheard_of', ...symbols)).waitsFor;
    expect(told('sysfs_kf_write', 'vfs_write')).toBe(
      'a mutex that unheard_of takes, in order to write to a file of sysfs',
    );
    expect(told('__x64_sys_ioctl')).toBe('a mutex that unheard_of takes, in order to carry out an ioctl');
    expect(told('__x64_sys_getpid')).toBe('a mutex that unheard_of takes, in the system call getpid');
    expect(told('some_work', 'process_one_work', 'worker_thread')).toBe(
      'a mutex that unheard_of takes, in a kernel worker (some_work)',
    );
  });

  it('says for which operation a task waits for a page', () => {
    expect(explain(stackOf('io_schedule', '__folio_lock', 'migrate_pages', 'compact_zone')).waitsFor).toMatch(
      /^the lock of a page .*, in order to compact memory/,
    );
  });

  it('does not say that another task holds a lock that the stack shows to be its own', () => {
    const told = (...symbols: string[]) =>
      explain(stackOf('__mutex_lock', 'rtnl_lock', 'igb_resume', ...symbols)).waitsFor;
    expect(told('__dev_open', 'do_setlink')).toContain(', which it may hold itself (further out it is in __dev_open');
    expect(told('rpm_resume')).toContain(', which another task holds, in order to ');
  });

  it('points to the server or daemon of a file system that has no disk', () => {
    const causes = (...symbols: string[]) => explain(stackOf('schedule', ...symbols)).causes;
    expect(causes('inode_wait_for_writeback', 'evict', 'fuse_do_setattr')).toMatch(/^The FUSE daemon/);
    expect(causes('inode_wait_for_writeback', 'evict', 'ext4_setattr')).toMatch(/^The disk below/);
  });

  it('takes the lock of an inode from an inlined function for what its caller waits for', () => {
    const { waitsFor } = explain(stackOf('down_write', 'inode_lock', 'unheard_of'));
    expect(waitsFor).toBe('a reader-writer lock that unheard_of takes for writing: readers or a writer hold it');
  });

  it('says that a task in state R, of which the scheduler took the CPU, waits for one', () => {
    expect(explain(stackOf('__schedule', 'schedule', 'unheard_of'), 'R').waitsFor).toBe(
      'nothing: it is ready to run, and waits for a CPU, in unheard_of',
    );
  });

  it('reads the names that PowerPC puts a dot before', () => {
    expect(explain(stackOf('.__switch_to', '.schedule', '.synchronize_net', '.packet_do_bind')).rule).toBeDefined();
  });

  it('says where the kernel crashed, or which function has a report printed', () => {
    const told = (...symbols: string[]) => {
      const { kind, waitsFor } = explain(stackOf(...symbols));
      return [kind, waitsFor];
    };
    expect(
      told(
        'machine_kexec',
        '__crash_kexec',
        'oops_end',
        'exc_general_protection',
        'asm_exc_general_protection',
        'kfree',
      ),
    ).toEqual(['running', 'nothing: the kernel crashed in kfree']);
    expect(told('crash_kexec', 'oops_end', 'do_trap', 'do_stack_segment', 'stack_segment', 'kfree')[1]).toMatch(
      /kfree$/,
    );
    expect(told('machine_kexec', '__crash_kexec', 'panic', 'df_debug', 'double_fault', 'vsnprintf')[1]).toMatch(
      /vsnprintf$/,
    );
    expect(told('panic', 'watchdog', 'kthread')).toEqual([
      'running',
      'nothing: the kernel panicked, as a task was blocked for too long (hung task)',
    ]);
    expect(told('dump_stack', 'warn_alloc', 'shrink_node')).toEqual([
      'running',
      'nothing: it prints a report in shrink_node',
    ]);
  });

  it('skips pointers to functions that stand on the stack, which look like the end of the function before', () => {
    const lines = ['next_one+0x3a0/0x3a0', 'wb_wait_for_completion+0x5e/0x90', 'prepare_to_wait_event+0xf0/0xf0'];
    const outer = [
      'sync_inodes_sb+0xaa/0x280',
      'SyS_tee+0x3a0/0x3a0',
      'iterate_supers+0xb5/0x100',
      'sys_sync+0x42/0xb0',
    ];
    const stack = { id: 0, frames: parseFrames([...lines, ...outer].map((line) => `[<0>] ${line}`).join('\n')) };
    const { waitsFor } = explain(stack);
    expect(waitsFor).toContain('to write all dirty data');
    expect(waitsFor).not.toMatch(/tee|move data/);
    // Behind a function that never returns, it is a call.
    const exits = ['sleeper+0x5e/0x90', 'do_exit+0x2ec/0xb40', 'SyS_exit+0x20/0x20', 'do_syscall_64+0x8f/0xf0'];
    expect(explain({ id: 1, frames: parseFrames(exits.map((line) => `[<0>] ${line}`).join('\n')) }).waitsFor).toMatch(
      /exit/,
    );
  });

  it('takes what a tracer runs in the scheduler for no part of the wait', () => {
    const tracer = ['bpf_prog_843e5058b30c0620_handle_sched_switch', 'bpf_trace_run4', '__bpf_trace_sched_switch'];
    const histogram = [
      'event_hist_trigger',
      'event_triggers_call',
      'trace_event_buffer_commit',
      '__traceiter_sched_switch',
    ];
    for (const functions of [tracer, histogram, ['trace_event_raw_event_sched_switch', ...histogram]]) {
      const finding = explain(stackOf(...functions, '__schedule', 'schedule', 'worker_thread', 'kthread'));
      expect(finding.kind, functions[0]).toBe('idle');
    }
  });

  it('says that a task spins where the lock is all that is told', () => {
    expect(explain(stackOf('lg_local_lock'), 'R').waitsFor).toBe(
      'nothing: it spins on a lock (the stack is cut off: its caller is not known)',
    );
  });

  it('skips what is left over where a kernel prints the whole stack, and marks nothing of it as a guess', () => {
    const lines = [
      '__alloc_pages+0x57/0x2d2',
      'io_schedule+0x26/0x30',
      'sync_buffer+0x0/0x33',
      'bio_alloc_bioset+0xd9/0x195',
      '__wait_on_buffer+0x24/0x29',
      'unheard_of+0x1cf/0x20e',
      'sys_fsync+0x10/0x20',
    ];
    const { frame, waitsFor } = explain({
      id: 0,
      frames: parseFrames(lines.map((line) => `[<0>] ${line}`).join('\n')),
    });
    expect(frame?.symbol).toBe('unheard_of');
    expect(waitsFor).not.toContain('alloc');
  });

  it('tells the spin locks of old kernels, and semaphores from the section that both are taken in', () => {
    expect(explain(stackOf('_spin_lock', 'file_move', 'sys_open'), 'R').waitsFor).toContain('a lock that file_move');
    expect(explain(stackOf('text.lock.inode', 'new_inode', 'sys_socket'), 'R').waitsFor).toContain('new_inode takes');
    const semaphore = stackOf('__down', '__down_failed', 'text.lock.journal', 'unheard_of', 'sys_write');
    expect(explain(semaphore, 'D').waitsFor).toContain('a semaphore that unheard_of takes');
  });

  it('skips what is left over at the inner end of a stack', () => {
    expect(
      explain(stackOf('update_load_avg', '__switch_to', '__schedule', '__mutex_lock', 'unheard_of')).waitsFor,
    ).toBe('a mutex that unheard_of takes');
    expect(
      explain(stackOf('find_busiest_group', 'jbd2_journal_commit_transaction', 'kjournald2')).waitsFor,
    ).not.toContain('find_busiest_group');
  });

  it('knows that /proc on some architectures shows nothing of a lock but __switch_to', () => {
    expect(explain(stackOf('__switch_to', 'lock_rename', 'sys_renameat2'), 'D').waitsFor).toContain(
      'the lock of a directory',
    );
  });

  it('advises nothing that takes the lock that is waited for', () => {
    const inTheWay = 'grep -E "pgscan|pgsteal|allocstall" /proc/vmstat';
    expect(explain(stackOf('shrink_node', 'balance_pgdat', 'kswapd')).next).toContain(inTheWay);
    const { rule, next } = explain(stackOf('cpus_read_lock', 'shrink_node', 'balance_pgdat', 'kswapd'));
    expect([rule, next.includes(inTheWay)]).toEqual(['memory-kswapd-reclaim', false]);
  });

  it('says of an empty stack only what the state makes certain', () => {
    expect(explain(stackOf()).waitsFor).toBe('unknown: the stack is empty');
    const kinds = (['R', 'Z', 'S', 'D'] as const).map((state) => explain(stackOf(), state).kind);
    expect(kinds).toEqual(['running', 'idle', 'unexplained', 'unexplained']);
  });

  it('leaves out the mark that older kernels end a stack with', () => {
    expect(explain(stackOf('0xffffffffffffffff')).waitsFor).toBe('unknown: the stack has no function');
  });
});

describe('the kind of sleep', () => {
  const LOCK = ['__schedule', 'schedule_preempt_disabled', '__mutex_lock.constprop.0'];
  const toldOf = (symbols: readonly string[], state?: State) => {
    const { kind, waitsFor } = explain(stackOf(...symbols), state);
    return [kind, waitsFor];
  };

  it.each([
    [LOCK, 'lock'],
    [['rwsem_down_read_slowpath', 'down_read'], 'lock'],
    [['schedule', 'io_schedule', 'folio_wait_bit_common'], 'page'],
    [['native_queued_spin_lock_slowpath', '_raw_spin_lock'], 'spin'],
    [['schedule_timeout', 'msleep'], 'delay'],
    [['wait_for_completion', '__flush_work', 'flush_work'], 'work'],
    [['io_schedule', 'bio_await', 'submit_bio_wait'], 'io'],
  ])('never lets a task idle under %j', (inner, sleep) => {
    for (const idle of ['ep_poll', 'do_wait', 'n_tty_read', 'pipe_read', 'worker_thread']) {
      const { frames } = stackOf(...inner, idle, 'do_syscall_64');
      expect(innerEnd(frames).primitive?.sleep).toBe(sleep);
      expect(explain({ id: 0, frames }).kind).toBe(sleep === 'spin' ? 'running' : 'blocked');
    }
  });

  it('lets state D win over a function in which tasks usually idle', () => {
    expect(toldOf(['ep_poll', 'do_epoll_wait'], 'S')[0]).toBe('idle');
    expect(toldOf(['ep_poll', 'do_epoll_wait'], 'D')[0]).toBe('blocked');
  });

  it('says what a task in R runs, and gives it only general advice', () => {
    const finding = explain(stackOf('_cond_resched', 'shrink_slab', 'do_try_to_free_pages'), 'R');
    expect([finding.kind, finding.next, finding.waitsFor]).toEqual([
      'running',
      RUNS_IN_KERNEL,
      expect.stringMatching(/^nothing: it is on a CPU, or ready to run, in shrink_slab/),
    ]);
  });

  it('names what runs any work as nobody that takes a lock or starts something', () => {
    const told = (...symbols: string[]) => toldOf([...symbols, 'process_one_work', 'worker_thread', 'kthread'], 'D')[1];
    expect(told('__mutex_lock')).toBe('a mutex that the function of a kernel worker takes');
    expect(told('wait_for_completion')).toBe(
      'the completion of something that the function of a kernel worker started',
    );
    expect(told('__mutex_lock', 'async_run_entry_fn')).toBe('a mutex that the function of a kernel worker takes');
    expect(told('io_schedule')).toBe('I/O to complete, in the function of a kernel worker');
    expect(told('schedule')).toBe('something unknown in the function of a kernel worker');
    expect(told('__mutex_lock', 'unheard_of')).toBe('a mutex that unheard_of takes, in a kernel worker');
  });

  it('advises on the lock of the host that is waited for, and not on what it is wanted for', () => {
    const { waitsFor, causes, next } = explain(
      stackOf('rtnl_lock', 'unheard_of_init', 'do_one_initcall', 'do_init_module', 'load_module'),
      'D',
    );
    expect(waitsFor).toMatch(/\(rtnl\), which another task holds, in order to initialize a kernel module$/);
    expect(causes).toContain('configures the network');
    expect(next.filter((command) => command.includes('module'))).toEqual([]);
    expect(explain(stackOf('rtnl_lock', 'do_init_module'), 'D').waitsFor).toContain('(rtnl)');
    expect(explain(stackOf('inode_lock', 'unheard_of'), 'D')).toMatchObject({ causes: HOLDER, next: OTHERS_BLOCKED });
  });

  it('does not advise to unmount what is not mounted yet', () => {
    const undoOf = (...symbols: string[]) =>
      explain(stackOf('rpc_wait_bit_killable', '__rpc_execute', 'rpc_run_task', ...symbols), 'D').undo;
    expect(undoOf('nfs_getattr', 'vfs_statx')).toEqual(['umount -f -l MOUNTPOINT']);
    expect(undoOf('nfs4_try_get_tree', 'vfs_get_tree', 'do_new_mount')).toEqual(['kill -KILL PID']);
  });

  it('calls nobody idle that waits for a completion or a bit where others idle', () => {
    const told = (...symbols: string[]) => toldOf(['schedule', ...symbols]);
    for (const [idle, purpose] of [
      ['do_wait', 'wait for a child'],
      ['ep_poll', 'collect events of its file descriptors (epoll)'],
      ['kswapd', 'free memory of its node'],
    ] as const) {
      const [kind, waitsFor] = told('wait_for_completion', idle);
      expect([kind, waitsFor]).toEqual([
        'blocked',
        `the completion of something that ${idle} started, in order to ${purpose}`,
      ]);
      expect(told('wait_on_bit', idle)[0]).toBe('blocked');
      expect(told('wait_woken', idle)[0]).toBe('idle');
    }
    expect(told('wait_for_completion', 'do_sigtimedwait')[0]).toBe('blocked');
    expect(told('wait_for_completion_interruptible', 'usb_stor_control_thread')[0]).toBe('idle');
    expect(toldOf(['wait_for_completion_interruptible', 'usb_stor_control_thread'], 'D')[0]).toBe('blocked');
  });

  it('takes a task for running that was preempted, unless it is in D', () => {
    expect(toldOf(['__cond_resched', 'nobody_knows'])[0]).toBe('running');
    expect(toldOf(['__cond_resched', 'nobody_knows'], 'D')).toEqual(['blocked', 'something unknown in nobody_knows']);
  });

  it('does not say that a running task changes what is traced where it only meets a probe', () => {
    expect(toldOf(['__ftrace_ops_list_func', 'ftrace_graph_call', 'nobody_knows'], 'R')[1]).not.toMatch('traced');
    expect(toldOf(['synchronize_rcu', 'ftrace_shutdown', 'nobody_knows'], 'D')[1]).toMatch('change what is traced');
  });

  it('says what an unknown function belongs to, by its name or module', () => {
    expect(toldOf(['wait_for_completion', 'tb_nobody_knows'])[1]).toContain(
      'something that tb_nobody_knows started (by its name, a part of Thunderbolt)',
    );
    expect(toldOf(['some_nobody_knows'], 'D')[1]).toBe('something unknown in some_nobody_knows');
    expect(toldOf(['f2fs_nobody_knows'])[1]).toBe('a step of F2FS to complete, in f2fs_nobody_knows (by its name)');
  });

  it('takes no function of a driver for one of the core that has the same name', () => {
    const toldIn = (module: string) =>
      explain({ id: 0, frames: parseFrames(`[<0>] __mutex_lock+0x1/0x2\n[<0>] online_store+0x1/0x2${module}`) })
        .waitsFor;
    expect(toldIn('')).toContain('the lock of a device');
    expect(toldIn(' [some_driver]')).toContain('a mutex that online_store [some_driver] takes');
  });

  it('names no function of a running task if the kernel was sure of none', () => {
    const frames = parseFrames('[<0>] ? __schedule+0x1/0x20\n[<0>] ? some_leaf+0x1/0x20');
    const { waitsFor } = explain({ id: 0, frames }, 'R');
    expect(waitsFor).toContain('(likely');
    expect(waitsFor).not.toContain('some_leaf');
  });

  it('never lets a task run that is in D, or that waits under a lock or for a completion', () => {
    expect(toldOf(['__schedule', 'ret_from_fork'], 'D')[0]).not.toBe('running');
    expect(toldOf(['wait_for_completion', 'ret_from_fork'])[0]).not.toBe('running');
    expect(toldOf(['nfs_wait_bit_killable', 'ret_from_fork'], 'D')[0]).not.toBe('running');
  });

  it('names no function inside of a lock as its caller', () => {
    expect(toldOf(LOCK)).toEqual(['blocked', 'a mutex (the stack is cut off: its caller is not known)']);
  });

  it('says for which operation a task waits for a lock, and not what the holder does', () => {
    expect(toldOf([...LOCK, 'nvme_remove'])).toEqual([
      'blocked',
      expect.stringMatching(/^a mutex that another task holds, in order to remove an? \w+/),
    ]);
    expect(toldOf(['schedule', 'wait_for_completion', 'nvme_remove'])[1]).not.toContain('mutex');
  });

  it('says that a stack is cut off that has only functions of the scheduler', () => {
    expect(toldOf(['__schedule', 'schedule'])).toEqual([
      'unexplained',
      'unknown: the stack is cut off behind the scheduler',
    ]);
    expect(toldOf(['__schedule', 'schedule', 'schedule_preempt_disabled'])[0]).toBe('blocked');
    expect(toldOf(['__schedule', 'schedule'], 'D')).toEqual([
      'blocked',
      'something unknown (the stack is cut off behind the scheduler)',
    ]);
  });

  it('looks past bare addresses at the inner end', () => {
    expect(toldOf(['0xffffffffc0123456', 'schedule', '0xffffffffc0123456', ...LOCK, 'unheard_of'])).toEqual([
      'blocked',
      'a mutex that unheard_of takes',
    ]);
  });
});

describe('a matcher', () => {
  const rule = (id: string, ...match: Step[]): Rule => ({
    id,
    kind: 'blocked',
    match,
    waitsFor: 'x',
    causes: 'x',
    next: [],
    source: 'x.c: x',
  });
  const won = (rules: Parameters<typeof rule>[], ...symbols: string[]) =>
    matchesOf(new Matcher(rules.map((parts) => rule(...parts))), ...symbols).map((match) => match.rule.id);
  const matchesOf = (matcher: Matcher, ...symbols: string[]) => {
    const { frames } = stackOf(...symbols);
    return matcher.matches(frames, innerEnd(frames));
  };

  it('prefers what is nearer to the inner end, then what names more functions, then names over expressions', () => {
    expect(
      won(
        [
          ['outer', 'b', 'c'],
          ['inner', 'a'],
        ],
        'a',
        'b',
        'c',
      ),
    ).toEqual(['inner', 'outer']);
    expect(
      won(
        [
          ['one', 'a'],
          ['two', 'a', 'c'],
        ],
        'a',
        'b',
        'c',
      ),
    ).toEqual(['two', 'one']);
    expect(
      won(
        [
          ['expression', /a/],
          ['name', 'a'],
        ],
        'a',
      ),
    ).toEqual(['name', 'expression']);
  });

  it('counts sleeping primitives as no nearer than anything else', () => {
    expect(
      won(
        [
          ['lock', 'mutex_lock'],
          ['caller', 'a'],
        ],
        'mutex_lock',
        'a',
      ),
    ).toEqual(['caller', 'lock']);
  });

  it('wants the functions in order, and whole names', () => {
    expect(won([['order', 'b', 'a']], 'a', 'b')).toEqual([]);
    expect(won([['part', /a/]], 'ab')).toEqual([]);
  });

  it('lets idle rules match at the inner end only', () => {
    const matcher = new Matcher([{ ...rule('loop', 'loop'), kind: 'idle' }]);
    expect(matchesOf(matcher, 'schedule', 'loop')).toHaveLength(1);
    expect(matchesOf(matcher, 'busy', 'loop')).toHaveLength(0);
  });
});

describe('functionName', () => {
  it.each([
    ['poll_schedule_timeout.constprop.0', 'poll_schedule_timeout'],
    ['f.isra.0.part.12.cold', 'f'],
    ['f.llvm.1234567890', 'f'],
    ['__pfx_f', 'f'],
    ['__x64_sys_futex', 'sys_futex'],
    ['__arm64_sys_futex', 'sys_futex'],
    ['__do_sys_vfork', 'sys_vfork'],
    ['__se_sys_poll', 'sys_poll'],
    ['__ia32_compat_sys_futex', 'sys_futex'],
    ['SyS_read', 'sys_read'],
    ['sysfs_kf_read', 'sysfs_kf_read'],
  ])('gives %s as %s', (symbol, name) => {
    expect(functionName(symbol)).toBe(name);
  });
});

describe('sleepingPrimitive', () => {
  it.each([
    '__schedule',
    'io_schedule_timeout',
    '__mutex_lock',
    'rwsem_down_read_slowpath',
    'wait_for_completion_io',
    '__wait_for_completion_state',
    '_mutex_lock_killable',
    'down_timeout',
    'bit_wait_io',
  ])('knows %s', (name) => {
    expect(sleepingPrimitive(name)).toBeDefined();
  });

  it.each(['do_wait', 'downloader', 'mutex_init', 'futex_wait'])('does not take %s for one', (name) => {
    expect(sleepingPrimitive(name)).toBeUndefined();
  });
});
