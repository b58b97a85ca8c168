/** Set in the environment of the process in the background: the descriptor on which it reports that it has begun. */
export const REPORT_FD = 'KSTACK_REPORT_FD';

/** How a background run goes, in the units of its options. */
export interface BackgroundOptions {
  readonly minutes: number;
  readonly intervalSeconds: number;
  readonly directory: string;
  readonly maxMegabytes: number;
  readonly keep: number;
  readonly maxUsedPercent: number;
}
