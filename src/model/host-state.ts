/** What says how busy a host is, beside its pressure. */
export interface HostState {
  /** Load averages over 1, 5 and 15 minutes (/proc/loadavg). Absent if they could not be read. */
  readonly load?: readonly [number, number, number];
  readonly cpus?: number;
}
