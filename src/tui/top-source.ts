import type { Sample } from '../model/sample.ts';

/** Where the samples come from that are shown. */
export interface TopSource {
  readonly kind: 'live' | 'files';
  /** Takes or reads the next sample; undefined if there is no further one. @throws Error if it cannot be taken */
  next(): Promise<Sample | undefined>;
  /** From the next sample on, whether every thread is taken. */
  take(threads: boolean): void;
  close(): void;
}
