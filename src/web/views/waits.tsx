import { adviceOnWait } from '../../analysis/advice.ts';
import type { ReportedHolder } from '../../analysis/holders/holder-sums.ts';
import type { Advice } from '../../analysis/holders/root-advice.ts';
import { stackOf } from '../../analysis/times/blocked-runs.ts';
import type { ReportedFinding } from '../../analysis/times/blocked-sums.ts';
import type { StuckRun } from '../../analysis/times/stuck.ts';
import type { Finding } from '../../model/finding.ts';
import type { Stack } from '../../model/stack.ts';
import { whatForWithin } from '../../sinks/long-waits.ts';
import { functionsOf, howStuck } from '../../sinks/report.ts';
import { reported } from '../state.ts';
import { counted, dateText, formatDuration, safe } from '../words.ts';
import { AdviceList } from './verdict.tsx';

const SHOWN = 50;

/** What `kstack report` says: waits by the time of all their tasks together, who held them up, and what was stuck. */
export function WaitsView() {
  const report = reported.value;
  if (report === undefined) return <p class="empty">Adding up ...</p>;
  const { hosts, findings, holders, stuck, stuckCount } = report;
  const most = findings[0]?.taskSeconds ?? 0;
  return (
    <article>
      <h2>Blocked, by the time of all tasks together</h2>
      {findings.length === 0 && <p class="empty">No task was blocked in any sample.</p>}
      <ol class="findings">
        {findings.slice(0, SHOWN).map((finding, at) => (
          <FindingItem key={at} reported={finding} most={most} several={hosts.length > 1} isOpen={at < 2} />
        ))}
      </ol>
      <More count={findings.length} what="wait" />
      {holders.length > 0 && <h2>Held up others</h2>}
      <ul class="holders">
        {holders.slice(0, SHOWN).map((holder) => (
          <HolderItem key={`${holder.host}/${holder.key}`} holder={holder} />
        ))}
      </ul>
      <More count={holders.length} what="holder" />
      {stuck.length > 0 && <h2>Stuck in one place</h2>}
      <ul class="stuck">
        {stuck.slice(0, SHOWN).map((run, at) => (
          <StuckItem key={at} run={run} />
        ))}
      </ul>
      <More count={stuckCount} what="stuck task" />
    </article>
  );
}

function More({ count, what }: { count: number; what: string }) {
  return count > SHOWN ? <p class="more">{counted(count - SHOWN, `more ${what}`)}</p> : null;
}

interface FindingProps {
  readonly reported: ReportedFinding;
  readonly most: number;
  readonly several: boolean;
  readonly isOpen: boolean;
}

function FindingItem({ reported, most, several, isOpen }: FindingProps) {
  const { finding, taskSeconds, isAtLeast, count, tasks, stack } = reported;
  const shown = tasks.slice(0, 8);
  return (
    <li>
      <details open={isOpen}>
        <summary>
          <span class="bar" aria-hidden="true" style={{ '--share': most === 0 ? 0 : taskSeconds / most }} />
          <span class="amount">
            {isAtLeast && 'at least '}
            {formatDuration(1000 * taskSeconds)}
          </span>{' '}
          <span class="count">{counted(count, 'task')}:</span> <span class="what">{whatForWithin(finding)}</span>
        </summary>
        <div class="detail">
          <WaitDetail finding={finding} advice={adviceOnWait(reported, several)} stack={stack} />
          <div>
            <table>
              <caption>Blocked longest</caption>
              <thead>
                <tr>
                  <th scope="col">Task</th>
                  <th scope="col" class="number">
                    TID
                  </th>
                  <th scope="col" class="number">
                    For
                  </th>
                </tr>
              </thead>
              <tbody>
                {shown.map(({ task, seconds }, at) => (
                  <tr key={at}>
                    <td>{safe(task.comm ?? '?')}</td>
                    <td class="number">{task.id.tid ?? '?'}</td>
                    <td class="number">{formatDuration(1000 * seconds)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            {count > shown.length && <p class="more">{counted(count - shown.length, 'more task')}</p>}
          </div>
        </div>
      </details>
    </li>
  );
}

/** What is usually the cause of a wait, what to look at, and where it is. */
export function WaitDetail({ finding, advice, stack }: { finding: Finding; advice: Advice; stack: Stack | undefined }) {
  return (
    <div>
      {finding.causes !== '' && <p>{finding.causes}</p>}
      <AdviceList advice={advice} />
      {stack !== undefined && <pre>{stack.frames.map(({ raw }) => safe(raw)).join('\n')}</pre>}
    </div>
  );
}

function HolderItem({ holder: { key, name, taskSeconds, waiters } }: { holder: ReportedHolder }) {
  const number = typeof key === 'number' ? ` ${key}` : '';
  return (
    <li>
      <span class="amount">{formatDuration(1000 * taskSeconds)}</span> {safe(name ?? '(not seen)')}
      {number} held up {counted(waiters, 'task')}
    </li>
  );
}

function StuckItem({ run }: { run: StuckRun }) {
  const { observation, sinceMs, untilMs, isStill } = run;
  const { task, state } = observation;
  const stack = stackOf(observation);
  return (
    <li>
      <span class="amount">{formatDuration(untilMs - sinceMs)}</span> {safe(task.comm ?? '?')} {task.id.tid} (
      {state ?? '?'}) since {dateText(sinceMs)}, {isStill ? 'still there at the end' : `until ${dateText(untilMs)}`}:{' '}
      {howStuck(run)}
      {stack !== undefined && stack.frames.length > 0 && <div class="functions">{functionsOf(stack)}</div>}
    </li>
  );
}
