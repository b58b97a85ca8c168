/** What a live page is told of the recording that it may start and stop. */
export interface RecorderState {
  /** Unix milliseconds; absent if nothing is being recorded. */
  readonly sinceMs?: number;
  readonly samples: number;
  /** Why it ended, or what is wrong. */
  readonly trouble?: string;
}
