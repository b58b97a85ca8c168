import type { Clock } from '../model/time.ts';
import { formatDateTime } from './local-time.ts';
import { writeStderr } from './output.ts';

export type LogLevel = 'DEBUG' | 'INFO' | 'ERROR';

/** Writes a line such as `2023-09-30 19:14:36.101 INFO - text` to standard error, in local time. */
export function log(clock: Clock, level: LogLevel, text: string): void {
  const nowMs = clock.nowMs();
  const seconds = Math.floor(nowMs / 1000);
  const milliseconds = String(nowMs % 1000).padStart(3, '0');
  writeStderr(`${formatDateTime(seconds, clock.zoneAt(seconds), '-')}.${milliseconds} ${level} - ${text}\n`);
}
