import { LOG, NETWORK } from './commands.ts';
import { blocked, INNERMOST, idle, type Rule } from './rule.ts';

const SERVES = 'Normal for a program that waits for something to do.';
const WHICH = ['ls -l /proc/PID/fd', 'strace -p PID'];
const PEER = ['ss -tanp', 'lsof -p PID'];

/** Sockets, System V IPC and devices that programs read. */
export const SOCKETS: readonly Rule[] = [
  idle(
    'unix-read',
    ['unix_stream_read_generic|unix_stream_data_wait|unix_stream_recvmsg|unix_stream_splice_read|unix_stream_read_skb'],
    'data on a Unix socket',
    SERVES,
    PEER,
    'net/unix/af_unix.c: unix_stream_read_generic',
  ),
  idle(
    'socket-datagram',
    [
      '__skb_wait_for_more_packets|wait_for_more_packets|__skb_recv_datagram|skb_recv_datagram|__skb_recv_udp|unix_dgram_recvmsg|__unix_dgram_recvmsg',
    ],
    'a datagram on a socket (UDP, Unix, netlink, packet)',
    SERVES,
    PEER,
    'net/core/datagram.c: __skb_wait_for_more_packets',
  ),
  idle(
    'netlink-read',
    ['__skb_wait_for_more_packets|__skb_recv_datagram|skb_recv_datagram', 'netlink_recvmsg'],
    'a message on a netlink socket',
    SERVES,
    ['ss -f netlink -p'],
    'net/netlink/af_netlink.c: netlink_recvmsg',
  ),
  idle(
    'udp-read',
    ['__skb_wait_for_more_packets|__skb_recv_udp', 'udp_recvmsg|udpv6_recvmsg'],
    'a UDP datagram',
    SERVES,
    ['ss -uanp'],
    'net/ipv4/udp.c: __skb_recv_udp',
  ),
  idle(
    'tcp-read',
    [
      'sk_wait_data|tcp_recvmsg|tcp_recvmsg_locked|tcp_splice_read|tcp_data_wait|tls_rx_rec_wait|tls_sw_recvmsg|mptcp_wait_data|mptcp_recvmsg|vsock_connectible_wait_data|vsock_stream_recvmsg|sctp_skb_recv_datagram|vsock_connectible_recvmsg|smc_rx_wait|smc_rx_recvmsg|sctp_wait_for_packet|kcm_wait_data',
    ],
    'data on a TCP (or other stream) connection',
    'Normal for servers and clients; else the peer does not answer.',
    NETWORK,
    'net/ipv4/tcp.c: tcp_recvmsg_locked',
  ),
  idle(
    'socket-accept',
    [
      'inet_csk_accept|inet_csk_wait_for_connect|inet_accept|unix_accept|vsock_accept|sctp_accept|__inet_accept|rds_recvmsg|kernel_accept|mptcp_accept|smc_accept',
    ],
    'a connection to accept',
    SERVES,
    ['ss -ltnp'],
    'net/ipv4/inet_connection_sock.c: inet_csk_accept',
  ),
  idle(
    'unix-accept',
    ['__skb_wait_for_more_packets|__skb_recv_datagram|skb_recv_datagram', 'unix_accept'],
    'a connection to accept on a Unix socket',
    SERVES,
    ['ss -lxp'],
    'net/unix/af_unix.c: unix_accept',
  ),
  blocked(
    'socket-connect',
    [
      'inet_wait_for_connect|__inet_stream_connect|inet_stream_connect|unix_stream_connect|vsock_connect|unix_wait_for_peer|sctp_wait_for_connect|tcp_sendmsg_fastopen|sk_stream_wait_connect|smc_connect|vsock_assign_transport',
    ],
    'a connection to be made',
    'The peer, or the network to it, does not answer; a full queue of a listening Unix socket.',
    ['ss -tanp state syn-sent', ...NETWORK],
    'net/ipv4/af_inet.c: inet_wait_for_connect',
  ),
  blocked(
    'socket-send',
    [
      'sk_stream_wait_memory|tcp_sendmsg_locked|sock_alloc_send_pskb|unix_stream_sendmsg|sock_wait_for_wmem|unix_dgram_sendmsg|tls_sw_sendmsg|mptcp_sendmsg|vsock_connectible_sendmsg|sctp_wait_for_sndbuf|vsock_stream_sendmsg|smc_tx_wait|netlink_attachskb|do_tcp_sendpages|wait_on_pending_writer',
    ],
    'room in the send buffer of a socket: the peer does not read',
    'A slow or stuck peer, a slow network, or the end of its memory.',
    NETWORK,
    'net/core/stream.c: sk_stream_wait_memory',
    INNERMOST,
  ),
  blocked(
    'unix-gc',
    ['wait_for_unix_gc|unix_gc|__unix_gc|unix_schedule_gc'],
    'Unix sockets that are in flight within each other to be collected',
    'Very many descriptors that are sent over Unix sockets and not received.',
    ['ss -xp | wc -l', ...PEER],
    'net/unix/garbage.c: wait_for_unix_gc',
    INNERMOST,
  ),
  blocked(
    'socket-close',
    [
      'sk_stream_wait_close|tcp_close|inet_csk_listen_stop|__tcp_close|sock_close|__sock_release|inet_release|inet_wait_for_close|sock_release',
    ],
    'a socket to send what is left and close (SO_LINGER), or its lock',
    'A peer that does not acknowledge.',
    NETWORK,
    'net/core/stream.c: sk_stream_wait_close',
    INNERMOST,
  ),
  blocked(
    'socket-lock',
    ['__lock_sock|lock_sock_nested|release_sock|__release_sock|lock_sock|__lock_sock_fast|lock_sock_fast'],
    'a socket that another thread or softirq uses',
    'Very many packets or threads on one socket.',
    NETWORK,
    'net/core/sock.c: __lock_sock',
  ),
  idle(
    'packet-read',
    [
      'packet_recvmsg|packet_poll|raw_recvmsg|tun_do_read|tun_ring_recv|tap_do_read|tun_chr_read_iter|ppp_read|macvtap_do_read|xsk_poll',
    ],
    'packets on a raw, packet or tun device',
    SERVES,
    ['ss -0ap'],
    'net/packet/af_packet.c: packet_recvmsg',
  ),
  idle(
    'sysv-ipc',
    [
      'do_semtimedop|__do_semtimedop|do_msgrcv|do_msgsnd|sys_semtimedop|ksys_semtimedop|ksys_msgrcv|ksys_msgsnd|sys_semop',
    ],
    'a System V semaphore or message',
    'Normal for databases; else the holder of a semaphore is stuck.',
    ['ipcs -s -p', 'ipcs -q -p'],
    'ipc/sem.c: __do_semtimedop',
  ),
  idle(
    'posix-queue',
    ['wq_sleep|do_mq_timedreceive|do_mq_timedsend|sys_mq_timedreceive'],
    'a POSIX message queue',
    SERVES,
    ['ls -l /dev/mqueue'],
    'ipc/mqueue.c: wq_sleep',
  ),
  idle(
    'input-device',
    [
      'evdev_read|hidraw_read|mousedev_read|snd_timer_user_read|snd_seq_read|input_wait|uinput_read|hiddev_read|joydev_read|rfkill_fop_read|uhid_char_read|usblp_read|dvb_dvr_read',
    ],
    'input of a device',
    SERVES,
    WHICH,
    'drivers/input/evdev.c: evdev_read',
  ),
  blocked(
    'sound',
    [/snd_pcm_\w+|wait_for_avail|snd_\w+|__snd_pcm_lib_xfer|soc_pcm_\w+/],
    'a sound device',
    'A device that does not take samples, or is being set up.',
    ['cat /proc/asound/card*/pcm*/sub*/status', ...LOG],
    'sound/core/pcm_lib.c: wait_for_avail',
    INNERMOST,
  ),
  idle(
    'device-event',
    [
      'hvutil_transport_read|vmbus_recvpacket|hv_uio_read|uio_read|hvt_op_read|rtc_dev_read|watchdog_read|hpet_read|xenbus_file_read|vmci_host_poll',
    ],
    'an event of a device that a program serves',
    SERVES,
    WHICH,
    'drivers/uio/uio.c: uio_read',
  ),
  blocked(
    'rng-read',
    ['rng_dev_read|hwrng_wait|virtio_read|add_hwgenerator_randomness|wait_for_hwrng'],
    'a hardware source of randomness',
    'The hypervisor or chip does not answer.',
    LOG,
    'drivers/char/hw_random/core.c: rng_dev_read',
  ),
  idle(
    'binder',
    ['binder_wait_for_work|binder_thread_read|binder_ioctl_write_read'],
    'a transaction of Android Binder',
    SERVES,
    ['cat /sys/kernel/debug/binder/transactions'],
    'drivers/android/binder.c: binder_wait_for_work',
  ),
  blocked(
    'splice',
    ['do_splice|splice_direct_to_actor|do_sendfile|generic_file_splice_read|wakeup_pipe_readers|splice_from_pipe'],
    'a copy between files or sockets (splice, sendfile) to go on',
    'The slower of the two sides.',
    WHICH,
    'fs/splice.c: splice_from_pipe_next',
    INNERMOST,
  ),
];
