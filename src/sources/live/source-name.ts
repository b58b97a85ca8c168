/** How tasks are read: by a program in the kernel, from /proc, or by the first where it works and pays. */
export const SOURCES = ['auto', 'bpf', 'procfs'] as const;
export type SourceName = (typeof SOURCES)[number];
