/** Commands that several rules advise. */
export const DISKS = ['iostat -x 1', 'grep -H . /sys/block/*/inflight', 'dmesg -T | tail'];
export const LOG = ['dmesg -T | tail -50'];
export const OTHERS_BLOCKED = ['kstack -D', 'echo w > /proc/sysrq-trigger; dmesg'];
export const MEMORY = ['cat /proc/pressure/memory', 'free -m', 'grep -E "pgscan|pgsteal|allocstall" /proc/vmstat'];
export const DIRTY = ['grep -E "Dirty|Writeback" /proc/meminfo', 'sysctl vm.dirty_ratio vm.dirty_bytes', 'iostat -x 1'];
export const NFS = ['nfsstat -rc', 'cat /proc/self/mountstats', 'dmesg -T | grep -i "not responding"'];
export const NETWORK = ['ss -tanpi', 'nstat -az'];
export const MOUNTS = ['findmnt', 'cat /proc/self/mountinfo'];
export const DESCRIPTORS = ['ls -l /proc/PID/fd', 'strace -p PID'];
export const THAW = [
  'fsfreeze -u MOUNTPOINT',
  'dmsetup info | grep -B3 SUSPENDED',
  'kstack -c "fsfreeze|qemu-ga|vss" -f long',
];
