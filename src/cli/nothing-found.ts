import { isTarget, parseTarget, shownTarget } from '../clickhouse/target.ts';
import type { Clock } from '../model/time.ts';
import { shownName } from '../terminal/escape.ts';
import { writeStderr } from '../terminal/output.ts';
import { boundsFor, type Wanted, wholeSpan } from './file-samples.ts';
import { ALL_HOSTS } from './host-options.ts';
import { noProblems, type Problems } from './merged-samples.ts';
import { DASH, isReadOnce } from './read-once.ts';
import { isAllTimes, timeText } from './time-window.ts';

/**
 * Says that nothing is left of the files, what was asked for and what there is, unless it is said of each that it gave
 * nothing.
 */
export async function tellNone(wanted: Wanted, { empty, unread, spans }: Problems, clock: Clock): Promise<void> {
  const { names, window, origin: { hosts } = ALL_HOSTS } = wanted;
  if (names.length <= empty.length + unread) return;
  // What was wrong with the files is told already.
  const problems = { ...noProblems(), spans };
  const asked = [
    ...(hosts.length === 0 ? [] : [`of the requested hosts (${hosts.join(', ')})`]),
    ...(isAllTimes(window) ? [] : [`in the requested time${await askedTime(wanted, problems, clock)}`]),
  ];
  const what = asked.length === 0 ? 'there' : asked.join(' and ');
  writeStderr(`kstack: no sample of ${filesText(names)} is ${what}${await thereText(wanted, problems, clock)}\n`);
}

function filesText([first = '', ...others]: readonly string[]): string {
  const name = first === DASH ? 'the input' : isTarget(first) ? shownTarget(parseTarget(first)) : shownName(first);
  return others.length === 0 ? name : `${name} and ${others.length} more`;
}

async function askedTime(wanted: Wanted, problems: Problems, clock: Clock): Promise<string> {
  const { fromMs, toMs } = (await boundsFor(wanted, problems, clock)) ?? {};
  const from = fromMs !== undefined && Number.isFinite(fromMs) ? [`from ${timeText(fromMs, clock.zoneAt)}`] : [];
  const to = toMs !== undefined && Number.isFinite(toMs) ? [`to ${timeText(toMs, clock.zoneAt)}`] : [];
  const parts = [...from, ...to];
  return parts.length === 0 ? '' : ` (${parts.join(' ')})`;
}

/** When the samples are that there are. */
async function thereText(wanted: Wanted, problems: Problems, clock: Clock): Promise<string> {
  const isGone = (name: string) => isReadOnce(name) && (name === DASH || !problems.spans.has(name));
  if (wanted.names.some(isGone)) return '';
  const span = await wholeSpan(wanted, problems, clock);
  if (span === undefined) return '';
  const [first, last] = [timeText(span.firstMs, clock.zoneAt), timeText(span.lastMs, clock.zoneAt)];
  return first === last ? `: the only one is of ${first}` : `: they are from ${first} to ${last}`;
}
