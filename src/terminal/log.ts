import type { Clock } from '../model/time.ts';
import { formatDateTime } from './local-time.ts';
import { writeStderr } from './output.ts';

export type LogLevel = 'DEBUG' | 'INFO' | 'ERROR';

/** Writes a line such as `2023-09-30 19:14:36.101 INFO - text` to standard error. */
export function log(clock: Clock, level: LogLevel, text: string): void {
  writeStderr(`${formatLogLine(clock, level, text)}\n`);
}

/** `2023-09-30 19:14:36.101 INFO - text`, in local time. */
export function formatLogLine(clock: Clock, level: LogLevel, text: string): string {
  const nowMs = clock.nowMs();
  const seconds = Math.floor(nowMs / 1000);
  const milliseconds = String(nowMs % 1000).padStart(3, '0');
  return `${formatDateTime(seconds, clock.zoneAt(seconds), '-')}.${milliseconds} ${level} - ${text}`;
}
