import type { ServerResponse } from 'node:http';

/** Where the samples come from that pages show. */
export interface StreamSource {
  /** What a page is told about it: `live` goes on and can be paused. */
  readonly kind: 'files' | 'live';
  /** Sends events to a page until there are no more, or the page is gone. */
  serve(response: ServerResponse): void;
  /** Absent if a page must not record. */
  readonly recorder?: PageRecorder | undefined;
  /** How long it may take to close. */
  readonly closesMs: number;
  close(): Promise<void>;
}

/** Starts and stops a recording for a page, which has no say in where it goes. */
export interface PageRecorder {
  start(): void;
  stop(): Promise<void>;
}
