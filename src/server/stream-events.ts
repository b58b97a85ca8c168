import type { RecorderState } from '../model/recorder-state.ts';

/**
 * The events of a stream that a page reads (server-sent events). A field ends with its line, and JSON has none inside.
 */
export function findingEvent(line: string): string {
  return `event: finding\ndata: ${line}\n\n`;
}

/** @param json what several hosts say together */
export function fleetEvent(json: string): string {
  return `event: fleet\ndata: ${json}\n\n`;
}

/** @param lines those of a sample, each with its end */
export function recordingEvent(lines: string): string {
  const data = lines.trimEnd().replaceAll('\n', '\ndata: ');
  return `event: recording\ndata: ${data}\n\n`;
}

/** The state of the recording that a page may start and stop. */
export function recorderEvent(state: RecorderState): string {
  return `event: recorder\ndata: ${JSON.stringify(state)}\n\n`;
}

/** All that there is was sent. */
export const END_EVENT = 'event: end\ndata:\n\n';

/** Something that the page shows, one line. */
export function failedEvent(text: string): string {
  return `event: failed\ndata: ${text.replaceAll(/\s+/g, ' ')}\n\n`;
}
