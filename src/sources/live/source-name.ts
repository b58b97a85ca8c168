/** How tasks are read: by a program in the kernel, from /proc, or by the first where it is available and worth its start-up cost. */
export const SOURCES = ['auto', 'bpf', 'procfs'] as const;
export type SourceName = (typeof SOURCES)[number];

/** Set in the environment of a process that is to be a sampler and nothing else. */
export const SAMPLER = 'KSTACK_SAMPLER';
