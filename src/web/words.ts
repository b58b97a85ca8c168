import { escapeUnsafe } from '../terminal/escape.ts';

export { formatDuration } from '../terminal/duration.ts';

/** Control characters and those that change the direction of text, made visible. */
export const safe = escapeUnsafe;

export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

const DATE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const TIME = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

export function dateText(ms: number): string {
  return DATE.format(ms);
}

export function timeText(ms: number): string {
  return TIME.format(ms);
}
