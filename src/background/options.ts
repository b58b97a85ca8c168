/** Environment variable of the background process: the descriptor on which it reports that it has started. */
export const REPORT_FD = 'KSTACK_REPORT_FD';

/** For tests: an interval in milliseconds, shorter than -i allows. */
export const INTERVAL_MS = 'KSTACK_INTERVAL_MS';

/** The options of a background run, in the units of the command line. */
export interface BackgroundOptions {
  readonly minutes: number;
  readonly intervalSeconds: number;
  readonly directory: string;
  readonly maxMegabytes: number;
  readonly keep: number;
  readonly maxUsedPercent: number;
}
