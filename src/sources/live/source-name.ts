/**
 * How to read tasks: `bpf` (a program in the kernel), `procfs`, or `auto` (bpf when available and worth its start-up
 * cost).
 */
export const SOURCES = ['auto', 'bpf', 'procfs'] as const;
export type SourceName = (typeof SOURCES)[number];

/** Environment variable that turns the process into a sampler. */
export const SAMPLER = 'KSTACK_SAMPLER';
