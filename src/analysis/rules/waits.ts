import { DISKS } from './commands.ts';
import { blocked, INNERMOST, idle, type Rule } from './rule.ts';

const SERVES = 'Normal for a program that waits for something to do.';
const WHICH = ['ls -l /proc/PID/fd', 'strace -p PID'];

/** What programs ask the kernel to wait for: pipes, terminals, events, time, signals, io_uring. */
export const WAITS: readonly Rule[] = [
  idle(
    'pipe-read',
    [
      'pipe_read|anon_pipe_read|pipe_wait|pipe_wait_readable|ipipe_prep|fifo_pipe_read|wait_for_partner|fifo_open|splice_from_pipe_next|opipe_prep',
    ],
    'data in a pipe, or the other end of a FIFO',
    SERVES,
    WHICH,
    'fs/pipe.c: pipe_read',
  ),
  idle('pipe-read-old', ['pipe_wait', 'pipe_read'], 'data in a pipe', SERVES, WHICH, 'fs/pipe.c: pipe_wait', {
    kernels: '5.4 and older',
  }),
  blocked(
    'pipe-write',
    ['pipe_write|anon_pipe_write|fifo_pipe_write|wait_for_space|pipe_wait_writable'],
    'room in a pipe: its reader does not read',
    'The program at the other end is slow, stuck or stopped.',
    ['lsof -p PID | grep FIFO', 'lsof | grep PIPE_INODE'],
    'fs/pipe.c: pipe_write',
  ),
  blocked(
    'pipe-write-old',
    ['pipe_wait', 'pipe_write'],
    'room in a pipe: its reader does not read',
    'The program at the other end is slow, stuck or stopped.',
    ['lsof -p PID | grep FIFO'],
    'fs/pipe.c: pipe_wait',
    { kernels: '5.4 and older' },
  ),
  blocked(
    'pipe-lock',
    ['pipe_lock|pipe_double_lock|pipe_release|splice_file_to_pipe|splice_pipe_to_pipe|pipe_ioctl|pipe_fcntl'],
    'a pipe that another task is reading or writing',
    'The other sleeps with the pipe locked.',
    WHICH,
    'fs/pipe.c: pipe_lock',
    INNERMOST,
  ),
  idle(
    'tty-read',
    ['n_tty_read|tty_read|job_control|n_tty_wait_for_input|read_chan|hvc_read'],
    'input on a terminal',
    'Normal for a shell or a login prompt.',
    ['ls -l /proc/PID/fd/0'],
    'drivers/tty/n_tty.c: n_tty_read',
  ),
  blocked(
    'tty-write',
    [
      'n_tty_write|tty_write|do_tty_write|tty_wait_until_sent|tty_send_xchar|uart_wait_until_sent|set_termios|tty_write_lock|tty_set_termios|uart_write|iterate_tty_write|tty_drain_buffer',
    ],
    'a terminal to take output',
    'Ctrl-S, a slow serial line, or a terminal program that does not read.',
    ['ls -l /proc/PID/fd/0', 'stty -a -F TTY'],
    'drivers/tty/n_tty.c: n_tty_write',
  ),
  blocked(
    'tty-lock',
    [
      'tty_lock|tty_ldisc_ref_wait|tty_ldisc_lock|tty_ldisc_hangup|__tty_hangup|tty_release|tty_open|tty_init_dev|tty_lock_slave|tty_set_ldisc|tty_port_close|tty_reopen|tty_lock_interruptible|uart_open|uart_close|disassociate_ctty|pty_write|tty_port_close_start|tty_ldisc_release|flush_to_ldisc|tty_unthrottle_safe|tty_throttle_safe|tty_unthrottle|tty_vhangup_session|tty_port_block_til_ready|tty_kref_put',
    ],
    'a terminal that is being opened, closed or hung up',
    'Output that cannot be drained, or another task in the terminal.',
    ['ls -l /proc/PID/fd/0'],
    'drivers/tty/tty_mutex.c: tty_lock',
    INNERMOST,
  ),
  idle(
    'epoll',
    ['ep_poll|do_epoll_wait|do_epoll_pwait|epoll_wait|ep_send_events'],
    'events on its file descriptors (epoll)',
    SERVES,
    WHICH,
    'fs/eventpoll.c: ep_poll',
  ),
  blocked(
    'epoll-lock',
    [
      'do_epoll_ctl|eventpoll_release_file|ep_eventpoll_release|ep_free|ep_clear_and_put|ep_scan_ready_list|eventpoll_release|ep_item_poll|ep_start_scan|ep_loop_check_proc',
    ],
    'the lock of an epoll set',
    'Another thread scans or closes it.',
    WHICH,
    'fs/eventpoll.c: do_epoll_ctl',
    INNERMOST,
  ),
  idle(
    'poll',
    [
      'poll_schedule_timeout|do_poll|do_sys_poll|do_select|core_sys_select|do_pselect|sys_poll|sys_ppoll|sys_select|sys_pselect6',
    ],
    'events on its file descriptors (poll, select)',
    SERVES,
    WHICH,
    'fs/select.c: poll_schedule_timeout',
  ),
  idle(
    'sleep',
    [
      'do_nanosleep|hrtimer_nanosleep|common_nsleep|common_nsleep_timens|sys_nanosleep|sys_clock_nanosleep|alarm_timer_nsleep|alarmtimer_do_nsleep',
    ],
    'a time it asked for (sleep)',
    SERVES,
    ['strace -p PID'],
    'kernel/time/hrtimer.c: do_nanosleep',
  ),
  idle(
    'timerfd',
    ['timerfd_read|timerfd_read_iter'],
    'a timer to expire (timerfd)',
    SERVES,
    WHICH,
    'fs/timerfd.c: timerfd_read_iter',
  ),
  idle(
    'eventfd',
    ['eventfd_read|eventfd_ctx_do_read'],
    'a signal from another thread or the kernel (eventfd)',
    SERVES,
    WHICH,
    'fs/eventfd.c: eventfd_read',
  ),
  blocked(
    'eventfd-write',
    ['eventfd_write'],
    'the counter of an eventfd to be read',
    'A reader that does not read.',
    WHICH,
    'fs/eventfd.c: eventfd_write',
  ),
  idle(
    'signal',
    [
      'do_sigtimedwait|sigsuspend|sys_pause|sys_rt_sigsuspend|sys_rt_sigtimedwait|do_sigsuspend|signalfd_dequeue|signalfd_read|signalfd_read_iter|sys_sigsuspend|do_pause',
    ],
    'a signal',
    SERVES,
    ['grep Sig /proc/PID/status'],
    'kernel/signal.c: do_sigtimedwait',
  ),
  idle(
    'inotify',
    ['inotify_read|fanotify_read'],
    'a change of the files it watches',
    SERVES,
    ['cat /proc/PID/fdinfo/*'],
    'fs/notify/inotify/inotify_user.c: inotify_read',
  ),
  idle(
    'aio',
    ['read_events|do_io_getevents|sys_io_getevents|sys_io_pgetevents|aio_read_events'],
    'asynchronous I/O of its own to complete (libaio)',
    'Normal for databases and virtual machines. With nothing completing: a disk that does not answer.',
    ['iostat -x 1', ...WHICH],
    'fs/aio.c: read_events',
  ),
  idle(
    'io-uring-wait',
    [
      'io_cqring_wait|io_cqring_schedule|io_cqring_wait_schedule|__io_cqring_wait_schedule|io_run_task_work_sig|sys_io_uring_enter',
    ],
    'completions of its io_uring requests',
    'Normal for a server. With nothing completing: the disk or peer does not answer.',
    ['cat /proc/PID/fdinfo/*', 'kstack -c iou-'],
    'io_uring/io_uring.c: io_cqring_wait',
    { kernels: '5.1 and newer' },
  ),
  blocked(
    'io-uring-exit',
    [
      'io_uring_cancel_generic|io_ring_exit_work|io_wq_put_and_exit|__io_uring_cancel|io_rsrc_ref_quiesce|io_uring_try_cancel_requests|io_ring_ctx_free|io_wq_exit_workers|io_sq_thread_park|io_sq_thread_finish|io_uring_files_cancel|__io_uring_files_cancel|__io_uring_task_cancel|io_uring_cancel_sqpoll|io_sq_thread_stop|io_ring_ctx_wait_and_kill',
    ],
    'io_uring requests to end or be cancelled',
    'A request that cannot be cancelled: disk I/O in flight, or a stuck worker.',
    ['kstack -c iou-', ...DISKS],
    'io_uring/cancel.c: io_uring_cancel_generic',
    { kernels: '5.1 and newer' },
  ),
  blocked(
    'io-uring-lock',
    [
      'io_uring_register|io_uring_del_tctx_node|io_uring_clean_tctx|io_submit_sqes|io_worker_handle_work|sys_io_uring_register|io_ring_submit_lock|tctx_task_work|io_handle_tw_list|io_req_task_submit|handle_tw_list|tctx_task_work_run|io_iopoll_check',
    ],
    'the lock of an io_uring',
    'Another thread submits or polls on the same ring.',
    ['cat /proc/PID/fdinfo/*'],
    'io_uring/io_uring.c: tctx_task_work',
    { ...INNERMOST, kernels: '5.1 and newer' },
  ),
];
