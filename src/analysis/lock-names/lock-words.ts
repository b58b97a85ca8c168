/** Locks of all subsystems, by the functions that take them. */
const IN_WORDS: readonly (readonly [RegExp, string])[] = [
  [/^device_lock\(\)$/, 'the lock of a device (device_lock)'],
  [/^(?:inode_lock(?:_\w+)?\(\)|i_rwsem)$/, 'the lock of a file or directory (inode)'],
  [/^mmap_(?:(?:read|write)_lock(?:_\w+)?\(\)|lock)$/, 'the mmap lock of a process'],
  [/^filemap_invalidate_lock(?:_\w+)?\(\)$/, 'the lock of the cached pages of a file (invalidate_lock)'],
  [/^i_mmap_lock_\w+\(\)$/, 'the lock of the list of mappings of a file (i_mmap_rwsem)'],
  [/^rtnl_mutex$/, 'the lock of the network configuration (rtnl)'],
  [/^cgroup_mutex$/, 'the lock of the cgroup hierarchy (cgroup_mutex)'],
  [/^wiphy(?:_lock\(\)|->mtx)$/, 'the lock of a WiFi adapter (wiphy)'],
];

/** What a lock is, told without the name of its field, by what `lockName` returns; undefined if it is no such lock. */
export function lockInWords(name: string | undefined): string | undefined {
  const alone = name?.slice(name.indexOf(': ') + 2) ?? '';
  return IN_WORDS.find(([names]) => names.test(alone))?.[1];
}
