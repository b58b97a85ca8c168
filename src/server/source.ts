import type { ServerResponse } from 'node:http';

/** Where the samples come from that pages show. */
export interface StreamSource {
  /** What a page is told about it: `live` goes on and can be paused. */
  readonly kind: 'files' | 'live';
  /** Sends events to a page until there are no more, or the page is gone. */
  serve(response: ServerResponse): void;
  close(): void;
}
