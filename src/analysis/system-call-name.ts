/** `sys_info` is none, and `ksys_sync_helper` is of a suspend. */
const SYSTEM_CALL = /^(?:ksys_|sys_)(?!info$|sync_helper$)(\w+)$/;

/**
 * What functions of the kernel are called beside the system call that they are: by the width of what they take, by their
 * age, and by an architecture (include/linux/syscalls.h, include/linux/compat.h). No manual page has such a name.
 */
const BESIDE_CALL = new RegExp(
  [
    '^(?:ia32|x86|x32|aarch32|arm64)_',
    '^s390_(?=ipc$|personality$)',
    '^new(?=[lf]?stat$|uname$)',
    '^old_',
    '^old(?=umount$)',
    '_time(?:32|64)$',
    String.raw`(?<=^[su]?time|^clock_\w+|^timer(?:fd)?_\w+)32$`,
    '(?<=id|chown|groups)16$',
    '(?<=^sendfile)64$',
    '(?<=^mmap)_pgoff$',
  ].join('|'),
  'g',
);

/**
 * The system call that a function is, by the name of its manual page: fstat of `sys_newfstat`; undefined for other
 * functions.
 * @param name see functionName
 */
export function systemCallOf(name: string): string | undefined {
  return SYSTEM_CALL.exec(name)?.[1]?.replace(BESIDE_CALL, '');
}
